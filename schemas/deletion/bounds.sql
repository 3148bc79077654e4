-- One row: when the spans of deleted traces began and ended, also where no span is left; none where nothing was known of them.
WITH
    reach AS (
        SELECT
            min(since) AS first,
            max(until) AS last,
            count() AS traces
        FROM trace_extents
        WHERE (tenant, trace_id) IN (SELECT tenant, id FROM deletion_marks WHERE kind = 'trace')
    )
SELECT
    toString(first) AS since,
    toString(last) AS until,
    toString(first) AS latest
FROM reach
WHERE traces > 0
