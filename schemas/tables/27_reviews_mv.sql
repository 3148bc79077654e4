-- One row per span of human review.
CREATE MATERIALIZED VIEW IF NOT EXISTS reviews_mv TO reviews AS
SELECT
    tenant,
    reviewer,
    ended_at,
    trace_id,
    span_id,
    started_at,
    review_kind AS kind,
    review_decision AS decision,
    reviewer_role,
    review_seconds AS seconds,
    review_wait_seconds AS wait_seconds,
    ingested_at
FROM llm_calls
WHERE
    review_kind != ''
    AND part = 0
