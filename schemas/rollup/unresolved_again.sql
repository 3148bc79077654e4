-- One row per kind of call or review that an earlier rating run has met, and this one has not.
SELECT DISTINCT
    tenant,
    rate_key,
    provider,
    model,
    request_model,
    tier,
    host,
    region
FROM model_resolution
WHERE rating_run = {before:String}
    AND (tenant, rate_key) NOT IN (
        SELECT tenant, rate_key
        FROM model_resolution
        WHERE rating_run = {run:String}
    )
