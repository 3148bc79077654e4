-- One row per span of the batch whose parent is not there, but one of ours that is around it: where spans of somebody else never
-- came. Those that came stay between ours, for what they tell of is the call inside: upwards from the span that names ours,
-- the first whose parent is missing is the one below it. `tokentrace_collector.reports.places` does the same for a report.
INSERT INTO rollup_bridges
WITH RECURSIVE
    span AS (
        SELECT
            number,
            tenant,
            trace_id,
            span_id,
            parent_span_id,
            own_parent_id
        FROM rollup_spans
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_spans WHERE own_parent_id != '')
    ),
    climb AS (
        SELECT
            number,
            tenant,
            trace_id,
            span_id,
            parent_span_id,
            own_parent_id,
            toUInt16(0) AS height
        FROM span
        WHERE own_parent_id NOT IN ('', span_id)
        UNION ALL
        SELECT
            upper.number,
            upper.tenant,
            upper.trace_id,
            upper.span_id,
            upper.parent_span_id,
            climb.own_parent_id,
            toUInt16(climb.height + 1)
        FROM climb
        INNER JOIN span AS upper
            ON upper.tenant = climb.tenant AND upper.trace_id = climb.trace_id AND upper.span_id = climb.parent_span_id
        WHERE upper.span_id != climb.own_parent_id
            -- Spans that claim to enclose each other would climb for ever.
            AND climb.height < 256
    )
SELECT
    climb.number,
    argMin(own.number, own.span_id)
FROM climb
LEFT ANTI JOIN span AS upper
    ON upper.tenant = climb.tenant AND upper.trace_id = climb.trace_id AND upper.span_id = climb.parent_span_id
INNER JOIN span AS own
    ON own.tenant = climb.tenant AND own.trace_id = climb.trace_id AND own.span_id = climb.own_parent_id
WHERE climb.parent_span_id != ''
GROUP BY climb.number
