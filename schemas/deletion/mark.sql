-- One row per trace to delete, and per response that it names, which others may name as well.
INSERT INTO deletion_marks
SELECT
    tenant,
    'trace',
    trace_id
FROM rollup_batch
UNION DISTINCT
SELECT
    tenant,
    'response',
    response_id
FROM (
    SELECT
        tenant,
        response_id,
        arrayJoin(traces) AS trace_id
    FROM retellings
)
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
