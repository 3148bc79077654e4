-- One row: the catalogue that the figures rest on, and when the latest of its prices began that holds at a moment.
SELECT
    catalogue,
    maxOrNullIf(valid_from, rank = 0 AND valid_from <= {at:DateTime64(3)} AND valid_from > toDateTime64(0, 3)) AS newest
FROM price_rates FINAL
WHERE tenant IN ({everybody:String}, {tenant:String})
    AND catalogue IN (
        SELECT catalogue
        FROM rating_runs FINAL
        WHERE tenant = {everybody:String}
            AND rating_run IN (
                SELECT value
                FROM rollup_state FINAL
                WHERE tenant = {everybody:String} AND name = 'rating_run'
            )
    )
GROUP BY catalogue
