-- One row per span of a review of a session or of several requests, and trace that it names; and one of no trace.
CREATE MATERIALIZED VIEW IF NOT EXISTS reviewed_mv TO reviewed AS
SELECT
    tenant,
    arrayJoin(arrayDistinct(arrayPushFront(mapKeys(call.reviewed), ''))) AS trace_id,
    call.trace_id AS review_trace_id,
    span_id AS review_span_id,
    ended_at,
    review_kind AS kind,
    review_session AS session,
    ingested_at
FROM llm_calls AS call
WHERE
    review_kind != ''
    AND part = 0
    AND (review_session != '' OR notEmpty(call.reviewed))
