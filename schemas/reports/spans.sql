-- One row per span of a trace, in order of start.
SELECT
    span_id,
    parent_span_id,
    own_parent_id,
    name,
    operation,
    scope,
    convention,
    provider,
    model,
    role,
    step,
    started_at,
    ended_at,
    failed,
    error_type,
    stream_end,
    usage_source,
    estimated_counts,
    tokens,
    review_kind,
    review_seconds,
    reviewer_role
FROM llm_calls FINAL
-- Of a key, which no version of a row differs in: the wide columns are read where its rows are alone.
PREWHERE tenant = {tenant:String} AND trace_id = {trace_id:String} AND part = 0
-- What came before the horizon may have expired, or be about to: whether the engine has been at it tells nobody anything.
WHERE ingested_at >= parseDateTime64BestEffortOrZero((SELECT max(value) FROM rollup_state FINAL WHERE name = 'horizon'), 6, 'UTC')
ORDER BY
    started_at,
    span_id
LIMIT {limit:UInt32}
-- A few rows are not worth a second thread.
SETTINGS max_threads = 1
