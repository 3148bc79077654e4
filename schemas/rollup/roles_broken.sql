-- One row per call of the batch that failed and names no role: it was for what the next call beside it was for.
INSERT INTO rollup_roles
WITH
    placed AS (
        SELECT
            place.scope AS scope,
            place.started_at AS started_at,
            argMin(if(place.told != '', place.told, found.role), place.span_id) AS role
        FROM rollup_places AS place
        LEFT ANY JOIN rollup_roles AS found ON found.number = place.number
        WHERE place.kind = 'call'
        GROUP BY
            place.scope,
            place.started_at
    )
SELECT
    place.number,
    multiIf(
        place.own_hint != '', place.own_hint,
        place.hint_source = 'framework', place.hint,
        placed.role
    ) AS inferred,
    multiIf(
        inferred IN ('', 'unknown'), '',
        place.own_hint != '', 'inferred:operation',
        place.hint_source = 'framework', 'framework',
        'inferred:retried'
    )
FROM rollup_places AS place
ASOF LEFT JOIN placed ON placed.scope = place.scope AND placed.started_at >= place.started_at
WHERE place.kind = 'broken'
    AND place.told = ''
