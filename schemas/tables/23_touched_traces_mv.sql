-- One row per trace of an insert into `llm_calls`.
CREATE MATERIALIZED VIEW IF NOT EXISTS touched_traces_mv TO touched_traces AS
SELECT
    tenant,
    trace_id
FROM llm_calls
GROUP BY
    tenant,
    trace_id
