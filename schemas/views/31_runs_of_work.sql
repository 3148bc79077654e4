-- One row per piece of work and trace that ran it: which of the pieces of the trace it is, and whether it was done again later.
CREATE OR REPLACE VIEW runs_of_work AS
WITH run AS (
    SELECT
        tenant,
        work_unit,
        trace_id,
        min(started_at) AS began_at
    FROM work_unit_runs FINAL
    GROUP BY
        tenant,
        work_unit,
        trace_id
)
SELECT
    tenant,
    work_unit,
    trace_id,
    began_at,
    toInt256(count() OVER (PARTITION BY tenant, trace_id)) AS pieces,
    toInt256(row_number() OVER (PARTITION BY tenant, trace_id ORDER BY work_unit)) AS piece,
    row_number() OVER (PARTITION BY tenant, work_unit ORDER BY began_at DESC, trace_id DESC) > 1 AS is_superseded
FROM run
