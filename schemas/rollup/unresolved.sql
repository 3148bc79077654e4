-- One row per kind of call or review in the batch that this rating run meets for the first time.
SELECT DISTINCT
    tenant,
    rate_key,
    if(review_kind = '', provider, 'human_review') AS provider,
    if(review_kind = '', model, reviewer_role) AS model,
    request_model,
    tier,
    host
FROM llm_calls
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (scope != '' OR review_kind != '')
    AND (tenant, rate_key) NOT IN (
        SELECT tenant, rate_key
        FROM model_resolution
        WHERE rating_run = {run:String}
    )
