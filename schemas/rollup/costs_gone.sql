-- One row per call or review of the batch that is not there any more, or was of another hour.
INSERT INTO call_costs (tenant, hour, trace_id, span_id, part, rating_run, version, is_deleted)
SELECT
    tenant,
    hour,
    trace_id,
    span_id,
    part,
    rating_run,
    {version:UInt64},
    1
FROM rollup_was
WHERE (tenant, hour, trace_id, span_id, part) NOT IN (SELECT tenant, hour, trace_id, span_id, part FROM rollup_costs)
