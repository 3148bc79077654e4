-- One row: when the spans of the batch began and ended, ever; and up to when time has been seen to pass.
WITH
    (
        SELECT
            (
                min(since),
                max(until)
            )
        FROM (
            SELECT
                since,
                until
            FROM trace_extents
            -- Alone, an id is compared in half the time that it takes with its tenant.
            WHERE trace_id IN (SELECT trace_id FROM rollup_batch)
                AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            UNION ALL
            -- A share of a review is dated by the review.
            SELECT
                ended_at AS since,
                ended_at AS until
            FROM reviewed
            WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
        )
    ) AS reach
SELECT
    toString(reach.1) AS since,
    toString(reach.2) AS until,
    toString(${latest}) AS latest
FROM llm_calls
WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
HAVING count() > 0
