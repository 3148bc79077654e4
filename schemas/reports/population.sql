-- One row per period, group, currency and ratio of sampling: the calls that stand for so many each, or their lines, and what
-- they cost. `wanted` is that of `breakdown`, of the file `calls`.
SELECT
    period,
    CAST([${by: toString({name})}], 'Array(String)') AS values,
    currency,
    call_numerator AS numerator,
    call_denominator AS denominator,
    toUInt64(sum(if({unit:String} = 'lines', wanted.lines, call_counts))) AS counted,
    sum(wanted.tokens) AS tokens,
    sum(wanted.amount) AS cost
FROM wanted
GROUP BY
    period,
    currency,
    numerator,
    denominator${by(''): , {name}}
