-- One row per provider and model that was called in a period: how much of it has a price, and how that was found.
WITH
    ${worth} AS worth,
    calls AS (
        SELECT
            provider,
            model,
            total,
            tokens_total,
            tokens_covered,
            lines.status,
            lines.price,
            list_cost,
            -- What cannot be converted, or has no price, is compared with nothing.
            worth(reported_cost, reported_currency, charge_time) AS told,
            isNotNull(told) AND currency = {currency:String} AND NOT has(lines.status, 'unpriced') AS is_told
        FROM call_costs FINAL
        WHERE tenant = {tenant:String}
            AND kind = 'call'
            AND bearing
            AND hour >= toStartOfHour({since:DateTime64(6)})
            -- Nanoseconds reach to 2262 only, the moments of a question to 2299.
            AND toDateTime64(charge_time, 6, 'UTC') >= {since:DateTime64(6)}
            AND toDateTime64(charge_time, 6, 'UTC') < {until:DateTime64(6)}
    ),
    called AS (
        SELECT
            provider,
            model,
            count() AS calls,
            sum(total) AS cost,
            sum(tokens_total) AS tokens,
            sum(tokens_total - tokens_covered) AS unpriced_tokens,
            countIf(has(lines.status, 'unpriced')) AS unpriced_calls,
            countIf(has(lines.status, 'fallback')) AS borrowed_calls,
            countIf(
                arrayExists((status, price) -> status IN ('priced', 'fallback') AND price = 0, lines.status, lines.price)
            ) AS free_calls,
            countIf(is_told) AS reported_calls,
            sumIf(assumeNotNull(told), is_told) AS said,
            sumIf(list_cost, is_told) AS computed
        FROM calls
        GROUP BY
            provider,
            model
    ),
    resolved AS (
        SELECT
            provider,
            model,
            arraySort(groupUniqArray(toString(matched_by))) AS found_by,
            arraySort(groupUniqArrayIf([toString(rate_provider), rate_model], catalogue != '')) AS rated_as,
            min(is_exact) AS exact
        FROM model_resolution FINAL
        WHERE tenant = {tenant:String}
            AND rating_run IN (
                SELECT value
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String} AND name = 'rating_run'
            )
        GROUP BY
            provider,
            model
    )
SELECT
    called.provider AS provider,
    called.model AS model,
    calls,
    cost,
    tokens,
    unpriced_tokens,
    unpriced_calls,
    borrowed_calls,
    free_calls,
    reported_calls,
    said,
    computed,
    found_by,
    rated_as,
    exact
FROM called
LEFT JOIN resolved
    ON called.provider = resolved.provider AND called.model = resolved.model
ORDER BY
    cost DESC,
    tokens DESC,
    provider,
    model
