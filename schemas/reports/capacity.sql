-- One row per span of a trace and component: its share of capacity that is paid by the hour.
SELECT
    span_id,
    component,
    sum(ifNull(capacity_lines.amount, 0)) AS amount
FROM capacity_lines FINAL
WHERE tenant = {tenant:String}
    AND trace_id = {trace_id:String}
    AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND toStartOfHour({until:DateTime64(9)})
    AND kind != 'review_share'
GROUP BY
    span_id,
    component
ORDER BY
    span_id,
    component
