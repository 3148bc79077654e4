-- One row: when the spans of the batch began and ended, and up to when time has been seen to pass.
SELECT
    toString(min(started_at)) AS since,
    toString(max(greatest(started_at, ended_at))) AS until,
    -- A span from the future is a wrong clock, and must not run up the rent.
    toString(max(least(ended_at, toDateTime64(ingested_at, 9) + INTERVAL 1 HOUR))) AS latest
FROM llm_calls
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
HAVING count() > 0
