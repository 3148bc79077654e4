-- One row per call of the batch whose work may have been in vain: why it is suspected. No money moves because of it.
INSERT INTO rollup_suspects
WITH
    alike AS (
        SELECT
            tenant,
            trace_id,
            asked
        FROM rollup_spans
        WHERE asked != 0
            AND NOT broke
        GROUP BY
            tenant,
            trace_id,
            asked
        HAVING count() > 1
    ),
    in_turn AS (
        SELECT
            number,
            tenant,
            trace_id,
            asked,
            is_new,
            started_at,
            span_id,
            row_number() OVER same AS place,
            max(ended_at) OVER (
                PARTITION BY tenant, trace_id, asked
                ORDER BY started_at, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS all_ended_at
        FROM rollup_spans
        WHERE (tenant, trace_id, asked) IN (SELECT tenant, trace_id, asked FROM alike)
            AND NOT broke
            AND number IN (SELECT number FROM rollup_decided WHERE borne_by = '')
        WINDOW same AS (PARTITION BY tenant, trace_id, asked ORDER BY started_at, span_id)
    ),
    -- The same call, made again when it had been answered; samples that are drawn beside each other are none.
    again AS (
        SELECT
            number,
            count() OVER same AS times,
            row_number() OVER (PARTITION BY tenant, trace_id, asked ORDER BY started_at, span_id) AS turn
        FROM in_turn
        WHERE place = 1
            OR (NOT is_new AND started_at >= all_ended_at)
        WINDOW same AS (PARTITION BY tenant, trace_id, asked)
    ),
    -- Requests that failed as a whole.
    abandoned AS (
        SELECT DISTINCT
            tenant,
            trace_id
        FROM rollup_spans
        WHERE parent_span_id = ''
            AND failed
            AND scope = ''
            AND review_kind = ''
    ),
    siblings AS (
        SELECT
            edge.number AS number,
            edge.failed AS failed,
            max(span.started_at) OVER (PARTITION BY edge.trace, edge.parent, span.label) >= span.ended_at AS is_retried
        FROM rollup_edges AS edge
        INNER JOIN rollup_spans AS span ON span.number = edge.number
        WHERE edge.activity != ''
    ),
    -- Inside of something that failed: the innermost decides whether it was tried again.
    inside AS (
        SELECT
            place.number AS number,
            argMax(siblings.is_retried, position) AS is_retried
        FROM rollup_places AS place
        ARRAY JOIN
            place.path AS around,
            arrayEnumerate(place.path) AS position
        INNER JOIN siblings ON siblings.number = around
        WHERE place.kind = 'call'
            AND siblings.failed
        GROUP BY place.number
    ),
    found AS (
        SELECT
            number,
            if(turn < times, 'repeated', '') AS why,
            times
        FROM again
        WHERE times > 1
        UNION ALL
        SELECT
            number,
            'loop',
            times
        FROM again
        WHERE times > 2
        UNION ALL
        SELECT
            number,
            if(is_retried, 'retried_step', 'failed_branch'),
            0
        FROM inside
        UNION ALL
        SELECT
            number,
            'abandoned',
            0
        FROM rollup_decided
        WHERE counts
            AND number NOT IN (SELECT number FROM rollup_spans WHERE broke)
            AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM abandoned)
    )
SELECT
    number,
    arraySort(groupUniqArrayIf(why, why != '')),
    max(times)
FROM found
GROUP BY number
