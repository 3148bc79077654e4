-- One row per period, group, currency and ratio of sampling: the calls that stand for so many each, and what they cost.
-- Where it is divided by what calls consist of, lines are counted instead. `wanted` is that of `breakdown`, of the file `calls`.
SELECT
    period,
    COLUMNS('^by_'),
    currency,
    call_numerator AS numerator,
    call_denominator AS denominator,
    toUInt64(sum(if(hasAny(arrayConcat({by:Array(String)}, {only:Array(String)}), ['token_class', 'sub_component']), wanted.lines, call_counts))) AS counted,
    sum(wanted.tokens) AS tokens,
    sum(wanted.amount) AS cost
FROM wanted
GROUP BY
    ALL
ORDER BY
    ALL
