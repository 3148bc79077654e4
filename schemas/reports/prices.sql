-- One row per price list of the current rating run that holds at a moment.
SELECT
    provider,
    model,
    context,
    catalogue,
    valid_from,
    currency,
    units,
    is_own,
    per,
    tiers,
    times,
    prices
FROM price_rates FINAL
WHERE tenant IN ({everybody:String}, {tenant:String})
    AND valid_from <= {at:DateTime64(3)}
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({model:String} = '' OR model = {model:String})
    AND catalogue IN (
        SELECT arrayJoin([catalogue, rating_run])
        FROM (
            SELECT
                catalogue,
                rating_run
            FROM rating_runs FINAL
            WHERE tenant = {everybody:String}
            ORDER BY
                rating_run = (
                    SELECT value
                    FROM rollup_state FINAL
                    WHERE tenant = {everybody:String} AND name = 'rating_run'
                ) DESC,
                loaded_at DESC
            LIMIT 1
        )
    )
ORDER BY
    provider,
    model,
    context,
    rank DESC,
    valid_from DESC
LIMIT 1 BY provider, model, context, rank
