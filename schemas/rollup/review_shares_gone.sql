-- One row per share that a review of the batch no longer has, or has in another hour.
INSERT INTO capacity_lines (
    tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, review_trace_id,
    review_span_id, rating_run, version, is_deleted
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
    review_trace_id,
    review_span_id,
    rating_run,
    {version:UInt64},
    1
FROM capacity_lines FINAL
WHERE kind = 'review_share'
    AND (tenant, review_trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (tenant, review_trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
    AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
    AND version < {version:UInt64}
