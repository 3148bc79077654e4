-- One row per period, group and currency, as `breakdown` has it where nothing is a correction and every group is wanted: its
-- `wanted` is meant, of which all counts are positive then. Amounts are text, as there.
SELECT
    period,
    CAST([${by: toString({name})}], 'Array(String)') AS group,
    currency,
    ${components: toString(sumIf(wanted.amount, component = '{name}')) AS {name}},
    toString(sum(wanted.amount)) AS total,
    '0' AS corrections,
    toString(sum(wanted.estimated)) AS estimated,
    toString(sum(wanted.allocated)) AS allocated,
    toString(sum(wanted.tokens)) AS tokens,
    sum(wanted.unpriced) AS unpriced,
    sum(wanted.lines) AS lines
FROM wanted
GROUP BY
    period,
    currency${by(''): , {name}}
HAVING lines != 0
    OR sum(wanted.tokens) != 0
    OR ${components(' OR '): sumIf(wanted.amount, component = '{name}') != 0}
ORDER BY
    period,
    sum(wanted.amount) DESC,
    group,
    currency
