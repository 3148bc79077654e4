-- One row per touched trace.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    trace_id
FROM rollup_touches
