-- One row per call whose provider said what it cost, and is taken at its word: the amount, apportioned over the lines.
-- By what the catalogue makes of them, else by quantity; whole units of 1e-18, the largest remainder first.
INSERT INTO rollup_lines
WITH
    weighed AS (
        SELECT
            number,
            part,
            waste,
            pool,
            lines,
            list_cost,
            contracted_cost,
            tokens_total,
            rates_total,
            toInt256(toDecimal256(assumeNotNull(reported), 18) * toInt256(1000000000000000000)) AS pot,
            arrayMap(amount -> toInt256(toDecimal256(ifNull(amount, 0), 18) * toInt256(1000000000000000000)), lines.amount) AS by_amount,
            if(arraySum(by_amount) > 0, by_amount, arrayMap(quantity -> toInt256(quantity * 1000000), lines.quantity)) AS weights,
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
            ) AS amounts
        FROM rollup_lines
        WHERE isNotNull(reported)
    )
SELECT
    number,
    part,
    waste,
    pool,
    NULL,
    arrayMap(
        (line, amount) -> (
            line.place, line.rank, line.kind, line.unit, line.segment, line.component, line.sub_component, line.quantity,
            line.list_price, line.price, line.per, amount, 'reported'
        ),
        lines,
        amounts
    ),
    ${components: arraySum((component, amount) -> if(component = '{name}', amount, 0), lines.component, amounts)},
    list_cost,
    contracted_cost,
    tokens_total,
    tokens_total,
    rates_total,
    rates_total,
    0
FROM weighed
