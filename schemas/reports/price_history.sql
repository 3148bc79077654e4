-- One row per price list and start of validity, of every model that the current rating run rates calls by.
SELECT
    provider,
    model,
    context,
    valid_from,
    units,
    is_own,
    per,
    tiers,
    times,
    prices
FROM price_rates FINAL
WHERE tenant IN ({everybody:String}, {tenant:String})
    AND (catalogue, provider, model, context) IN (
        SELECT
            catalogue,
            rate_provider,
            rate_model,
            rate_context
        FROM model_resolution FINAL
        WHERE tenant = {tenant:String}
            AND catalogue != ''
            AND rating_run IN (
                SELECT value
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String} AND name = 'rating_run'
            )
    )
ORDER BY
    provider,
    model,
    context,
    valid_from
