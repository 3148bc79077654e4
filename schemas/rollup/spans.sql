-- One row per span of the batch.
INSERT INTO rollup_spans
SELECT
    rowNumberInAllBlocks() + 1 AS number,
    tenant,
    trace_id,
    span_id,
    parent_span_id,
    started_at,
    ended_at,
    library,
    dialect,
    scope,
    class,
    provider,
    model,
    request_model,
    response_id,
    arraySum(mapValues(mapFilter((bucket, count) -> NOT startsWith(bucket, 'output_'), tokens))) AS input_tokens,
    arraySum(mapValues(mapFilter((bucket, count) -> startsWith(bucket, 'output_'), tokens))) AS output_tokens,
    role,
    role_source,
    failed AND empty(tokens) AND empty(meters) AS is_empty_failure,
    if(billable != 'false' AND has({trusted:Array(String)}, cost_reporter) AND reported_currency IN ('', 'USD'), reported_cost, NULL),
    review_kind,
    reviewer
FROM llm_calls FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND part = 0
