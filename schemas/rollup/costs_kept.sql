-- One row per call or review of a closed trace of the batch that stays as it is.
INSERT INTO rollup_costs
SELECT *
FROM rollup_was
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
    AND (tenant, hour, trace_id, span_id, part) NOT IN (SELECT tenant, hour, trace_id, span_id, part FROM rollup_costs)
