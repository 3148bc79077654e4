-- One row per rating run and combination of models, tier, host and region that a provider was called with.
SELECT DISTINCT
    toString(rating_run) AS rating_run,
    toString(tenant) AS tenant,
    rate_key,
    toString(provider) AS provider,
    model,
    request_model,
    toString(tier) AS tier,
    toString(host) AS host,
    toString(region) AS region
FROM model_resolution FINAL
WHERE tenant = {tenant:String}
    AND provider = {provider:String}
