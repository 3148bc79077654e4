-- One row per call or review of a closed trace of the batch that has been rated.
INSERT INTO rollup_rated
WITH
    reach AS (
        SELECT
            min(since) AS first,
            max(until) AS last
        FROM trace_extents
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
    )
SELECT
    tenant,
    trace_id,
    span_id,
    kind,
    bearing,
    started_at,
    ended_at,
    arraySum(mapValues(mapFilter((bucket, count) -> NOT startsWith(bucket, 'output_'), tokens))),
    arraySum(mapValues(mapFilter((bucket, count) -> startsWith(bucket, 'output_'), tokens)))
FROM call_costs FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
    AND hour BETWEEN (SELECT toStartOfHour(first) FROM reach) AND (SELECT last FROM reach)
    AND part = 0
