-- One row per trace of the batch that is closed: it has figures, and its first span came before the horizon.
INSERT INTO rollup_closed
WITH
    old AS (
        SELECT
            tenant,
            trace_id,
            min(since) AS first,
            max(until) AS last
        FROM trace_extents
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
        GROUP BY
            tenant,
            trace_id
        HAVING min(received) < {horizon:DateTime64(6)}
    )
SELECT DISTINCT
    tenant,
    trace_id
FROM (
    SELECT
        tenant,
        trace_id
    FROM tcoai_by_trace FINAL
    WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM old)
        AND day BETWEEN (SELECT toDate(min(first)) FROM old) AND (SELECT toDate(max(last)) FROM old)
    UNION ALL
    -- What only tells of reviews that others share has no sums.
    SELECT
        tenant,
        trace_id
    FROM call_costs FINAL
    WHERE (tenant, trace_id) IN (
            SELECT
                tenant,
                review_trace_id
            FROM reviewed
            WHERE (tenant, trace_id, review_trace_id) IN (SELECT tenant, '', trace_id FROM old)
        )
        AND hour BETWEEN (SELECT toStartOfHour(min(first)) FROM old) AND (SELECT max(last) FROM old)
        AND borne_by = 'shares'
)
WHERE (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
