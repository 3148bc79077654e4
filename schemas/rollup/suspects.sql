-- One row per call of the batch whose work may have been in vain: why it is suspected. No money moves because of it.
INSERT INTO rollup_suspects
WITH
    sound AS (
        SELECT
            span.number AS number,
            span.tenant AS tenant,
            span.trace_id AS trace_id,
            span.asked AS asked,
            span.is_new AS is_new,
            span.started_at AS started_at,
            span.ended_at AS ended_at,
            row_number() OVER in_turn AS place,
            max(span.ended_at) OVER (
                PARTITION BY span.tenant, span.trace_id, span.asked
                ORDER BY span.started_at, span.span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS all_ended_at
        FROM rollup_spans AS span
        INNER JOIN rollup_decided AS decided ON decided.number = span.number
        WHERE decided.borne_by = ''
            AND span.asked != 0
            AND NOT span.broke
        WINDOW in_turn AS (PARTITION BY span.tenant, span.trace_id, span.asked ORDER BY span.started_at, span.span_id)
    ),
    -- The same call, made again when it had been answered; samples that are drawn beside each other are none.
    again AS (
        SELECT
            number,
            count() OVER same AS times,
            row_number() OVER (PARTITION BY tenant, trace_id, asked ORDER BY started_at, number) AS place
        FROM sound
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
            if(place < times, 'repeated', '') AS why,
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
