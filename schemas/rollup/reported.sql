-- One row per call, or part of a call, that is said to have cost something by whom the price book trusts: the amount,
-- apportioned over the lines of the call and all its parts. By what the catalogue makes of them, else by quantity; whole
-- units of 1e-18, the largest remainder first.
INSERT INTO rollup_lines
WITH
    weighed AS (
        SELECT
            number,
            toInt256(toDecimal256(assumeNotNull(any(reported)), 18) * toInt256(1000000000000000000)) AS pot,
            -- An attempt that got no answer is none of what the answered one is said to have cost.
            arraySort(groupArray((
                part,
                arrayMap(line -> if(line.segment = 'attempt', 0, line.amount), lines),
                arrayMap(line -> if(line.segment = 'attempt', 0, line.quantity), lines)
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
    rated.waste,
    rated.pool,
    rated.commitments,
    NULL,
    arrayMap(
        (line, amount) -> (
            line.place, line.rank, line.kind, line.unit, line.segment, line.component, line.sub_component, line.quantity,
            line.list_price, line.price, line.per, amount, if(line.segment = 'attempt', line.status, 'reported')
        ),
        rated.lines,
        arrayMap(
            (line, share) -> if(line.segment = 'attempt', line.amount, share),
            rated.lines,
            arraySlice(
                weighed.all_amounts,
                weighed.ends[indexOf(weighed.parts, rated.part)] - length(rated.lines) + 1,
                length(rated.lines)
            )
        ) AS amounts
    ),
    ${components: arraySum((component, amount) -> if(component = '{name}', ifNull(amount, 0), 0), rated.lines.component, amounts)},
    rated.list_cost,
    rated.contracted_cost,
    rated.tokens_total - arraySum(
        line -> if(line.segment = 'attempt' AND line.status = 'unpriced', toUInt64(line.quantity), 0),
        rated.lines
    ),
    rated.tokens_total,
    rated.rates_total - arrayCount(line -> line.segment = 'attempt' AND line.status IN ('fallback', 'unpriced'), rated.lines),
    rated.rates_total,
    arrayCount(line -> line.segment = 'attempt' AND line.status = 'unpriced', rated.lines)
FROM rollup_lines AS rated
INNER JOIN weighed ON weighed.number = rated.number
WHERE isNotNull(rated.reported)
