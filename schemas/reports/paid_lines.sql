-- One row per hour, model, tier, unit, price and rating run: what a provider charged for by the piece, corrections included.
SELECT
    hour,
    toString(model) AS model,
    toString(tier) AS tier,
    toString(unit) AS unit,
    toString(status) AS status,
    price,
    toString(rating_run) AS rating_run,
    toString(currency) AS currency,
    sum(charges.amount) AS amount,
    sum(charges.lines) AS lines,
    sum(charges.unpriced) AS unpriced
FROM charges
WHERE tenant = {tenant:String}
    AND provider = {provider:String}
    AND hour >= {since:DateTime}
    AND hour < {until:DateTime}
    AND kind IN ('token', 'meter', 'commit_overflow', 'unknown')
    -- A line that commitments cover is there again by what each makes of it.
    AND NOT (kind IN ('token', 'meter') AND status = 'committed')
GROUP BY ALL
HAVING amount != 0
    OR lines != 0
    OR unpriced != 0
ORDER BY ALL
