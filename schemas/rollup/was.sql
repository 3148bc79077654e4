-- One row per row of `call_costs` of the batch, as it is before it changes.
INSERT INTO rollup_was
SELECT *
FROM call_costs FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
