-- One row per share of a deleted review, and per share that a deleted trace has in one.
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
    AND (
        (tenant, trace_id) IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
        OR (tenant, review_trace_id) IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
    )
