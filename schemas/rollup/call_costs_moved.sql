-- One row per call or review of the batch that used to be of another hour: the row of that hour is gone.
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
FROM call_costs FINAL
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
    AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
    AND version < {version:UInt64}
