-- One row per trace of an insert into `llm_calls`: how far its spans reach.
CREATE MATERIALIZED VIEW IF NOT EXISTS trace_extents_mv TO trace_extents AS
SELECT
    tenant,
    trace_id,
    min(started_at) AS since,
    max(greatest(started_at, ended_at)) AS until,
    min(ingested_at) AS received
FROM llm_calls
GROUP BY
    tenant,
    trace_id
