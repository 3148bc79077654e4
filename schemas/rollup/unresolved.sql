-- One row per kind of call or review in the batch that this rating run meets for the first time.
SELECT DISTINCT
    tenant,
    rate_key,
    if(review_kind = '', provider, 'human_review') AS provider,
    if(review_kind = '', model, reviewer_role) AS model,
    request_model,
    tier,
    host,
    -- What was stored before regions counted shares a price list with all other regions.
    if(review_kind != '' OR rate_key = sipHash64(provider, model, request_model, tier, host), '', region) AS region
FROM llm_calls
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (scope != '' OR review_kind != '')
    AND (tenant, rate_key) NOT IN (
        SELECT tenant, rate_key
        FROM model_resolution
        WHERE rating_run = {run:String}
    )
