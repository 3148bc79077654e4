-- One row per trace that something in common with a deleted one bears upon: the rollup recomputes it afterwards.
INSERT INTO touched_traces (tenant, trace_id)
SELECT DISTINCT
    tenant,
    trace_id
FROM rollup_batch
WHERE (tenant, trace_id) NOT IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
