-- One row per currency and, of it, all, each model, and each team: what it costs by the prices of the books, and by others.
WITH
    rated AS (
        SELECT
            model,
            team,
            currency,
            amount,
            lines,
            toInt8(-1) AS side
        FROM tcoai_by_hour FINAL
        WHERE tenant = {tenant:String}
            AND rating_run = {before:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            model,
            team,
            currency,
            amount,
            lines,
            toInt8(1) AS side
        FROM trial_tcoai_by_hour FINAL
        WHERE tenant = {tenant:String}
            AND rating_run = {after:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
            AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
    )
SELECT
    place.1 AS by,
    place.2 AS name,
    currency,
    sumIf(ifNull(amount, 0), side < 0) AS before,
    sumIf(ifNull(amount, 0), side > 0) AS after,
    after - before AS delta,
    sumIf(lines, side > 0) AS lines,
    sumIf(rated.lines, side < 0 AND isNull(amount)) AS unpriced_before,
    sumIf(rated.lines, side > 0 AND isNull(amount)) AS unpriced_after
FROM rated
ARRAY JOIN [('all', ''), ('model', toString(model)), ('team', toString(team))] AS place
GROUP BY
    by,
    name,
    currency
ORDER BY
    by,
    abs(delta) DESC,
    name,
    currency
