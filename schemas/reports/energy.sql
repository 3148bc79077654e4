-- One row per period, provider and model that was called, by whether a pool of one's own served it: how much it wrote.
WITH called AS (
    SELECT
        multiIf(
            {per:String} = 'month', toDateTime(toStartOfMonth(hour, 'UTC'), 'UTC'),
            {per:String} = 'day', toDateTime(toStartOfDay(hour, 'UTC'), 'UTC'),
            toDateTime(0, 'UTC')
        ) AS period,
        provider,
        model,
        pool != '' AS is_pooled,
        arraySum(mapValues(mapFilter((bucket, number) -> startsWith(bucket, 'output_'), tokens))) AS written,
        usage_covered < usage_total AND written = 0 AS is_uncounted
    FROM call_costs FINAL
    WHERE tenant = {tenant:String}
        AND kind = 'call'
        AND bearing
        AND hour >= toStartOfHour({since:DateTime64(6)})
        -- Nanoseconds reach to 2262 only, the moments of a question to 2299.
        AND toDateTime64(charge_time, 6, 'UTC') >= {since:DateTime64(6)}
        AND toDateTime64(charge_time, 6, 'UTC') < {until:DateTime64(6)}
)
SELECT
    period,
    provider,
    model,
    is_pooled,
    count() AS calls,
    countIf(written > 0) AS answers,
    countIf(is_uncounted) AS uncounted,
    sum(written) AS tokens
FROM called
GROUP BY
    period,
    provider,
    model,
    is_pooled
ORDER BY
    period,
    tokens DESC,
    provider,
    model,
    is_pooled
