-- One row per call, or part of a call, that is said to have cost something by whom the price book trusts: the amount,
-- apportioned over the lines of the call and all its parts. By what the catalogue makes of them, else by quantity; whole
-- units of 1e-18, the largest remainder first.
INSERT INTO rollup_reported
WITH
    weighed AS (
        SELECT
            number,
            toInt256(toDecimal256(assumeNotNull(any(reported)), 18) * toInt256(1000000000000000000)) AS pot,
            -- An attempt that got no answer is none of what the answered one is said to have cost.
            arraySort(groupArray((
                part,
                arrayMap((segment, amount) -> if(segment = 'attempt', 0, amount), lines.segment, lines.amount),
                arrayMap((segment, quantity) -> if(segment = 'attempt', 0, quantity), lines.segment, lines.quantity)
            ))) AS by_part,
            by_part.1 AS parts,
            arrayMap(
                amount -> toInt256(toDecimal256(ifNull(amount, 0), 18) * toInt256(1000000000000000000)),
                arrayFlatten(by_part.2)
            ) AS by_amount,
            if(
                arraySum(by_amount) > 0,
                by_amount,
                arrayMap(quantity -> toInt256(quantity * 1000000), arrayFlatten(by_part.3))
            ) AS weights,
            arraySum(weights) AS whole,
            arrayMap(weight -> intDiv(pot * weight, whole), weights) AS floors,
            arraySlice(
                arraySort((place, weight) -> (-((pot * weight) % whole), place), arrayEnumerate(weights), weights),
                1,
                toInt64(pot - arraySum(floors))
            ) AS topped_up,
            arrayMap(
                (units, place) -> toDecimal128(
                    divideDecimal(toDecimal256(units + has(topped_up, place), 0), toDecimal256(1000000000000000000, 0), 18),
                    18
                ),
                floors,
                arrayEnumerate(floors)
            ) AS all_amounts,
            arrayCumSum(arrayMap(amounts -> length(amounts), by_part.2)) AS ends
        FROM rollup_lines
        WHERE isNotNull(reported)
        GROUP BY number
    )
SELECT
    rated.number,
    rated.part,
    arrayMap(
        (segment, amount, share) -> if(segment = 'attempt', amount, share),
        rated.lines.segment,
        rated.lines.amount,
        arraySlice(
            weighed.all_amounts,
            weighed.ends[indexOf(weighed.parts, rated.part)] - length(rated.lines.kind) + 1,
            length(rated.lines.kind)
        )
    )
FROM rollup_lines AS rated
INNER JOIN weighed ON weighed.number = rated.number
WHERE isNotNull(rated.reported)
