-- One row per workflow that says what it works on.
CREATE MATERIALIZED VIEW IF NOT EXISTS work_unit_runs_mv TO work_unit_runs AS
SELECT
    tenant,
    work_unit,
    trace_id,
    span_id,
    started_at,
    ingested_at
FROM llm_calls
WHERE
    work_unit != ''
    AND part = 0
