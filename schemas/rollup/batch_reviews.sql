-- One row per trace with a review that took place while the same person reviewed a trace of the batch; and per trace with
-- one that is of a trace of the batch.
INSERT INTO rollup_batch
WITH
    touched AS (
        SELECT
            tenant,
            reviewer,
            toUnixTimestamp(ended_at) AS until,
            until - review_seconds AS since
        FROM llm_calls
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND review_kind != ''
            AND reviewer != ''
            AND review_seconds > 0
    )
SELECT DISTINCT
    neighbour.tenant,
    neighbour.trace_id
FROM reviews AS neighbour
INNER JOIN touched ON touched.tenant = neighbour.tenant AND touched.reviewer = neighbour.reviewer
WHERE toUnixTimestamp(neighbour.ended_at) - neighbour.seconds < touched.until
    AND toUnixTimestamp(neighbour.ended_at) > touched.since
UNION DISTINCT
SELECT DISTINCT
    tenant,
    review_trace_id
FROM reviewed
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
