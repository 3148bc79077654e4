-- One row per call of a deleted trace: it is gone, and its hour is to be summed up anew; also where that was cut short.
INSERT INTO call_costs (tenant, hour, trace_id, span_id, part, version, is_deleted)
SELECT DISTINCT
    tenant,
    hour,
    trace_id,
    span_id,
    part,
    {version:UInt64},
    1
FROM call_costs
WHERE (tenant, trace_id) IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
