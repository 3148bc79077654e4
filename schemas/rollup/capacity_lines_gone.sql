-- One row per share that an allocated hour no longer has.
INSERT INTO capacity_lines (
    tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, rating_run, version,
    is_deleted
)
SELECT
    tenant,
    hour,
    pool,
    trace_id,
    span_id,
    part,
    kind,
    component,
    sub_component,
    unit,
    segment,
    rating_run,
    {version:UInt64},
    1
FROM capacity_lines FINAL
WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
    AND kind IN ('used', 'idle', 'fixed')
    AND version < {version:UInt64}
