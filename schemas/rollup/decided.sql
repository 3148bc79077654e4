-- One row per call or review of the batch: whether it bears cost, and the role that it or a span around it names.
INSERT INTO rollup_decided
WITH
    enclosing AS (
        SELECT
            number,
            argMin(outer_role, distance) AS role
        FROM rollup_ancestry
        WHERE outer_role != ''
        GROUP BY number
    ),
    -- An outer call is none, whatever else it may be.
    borne AS (
        SELECT
            number,
            min(borne_by) AS borne_by
        FROM rollup_borne
        GROUP BY number
    )
SELECT
    span.number,
    span.tenant,
    span.trace_id,
    span.span_id,
    multiIf(
        span.review_kind != '', '',
        span.scope = 'aggregate', 'aggregate',
        -- A reading of a stored response bears its cost only where nobody saw the call that made it, and then once.
        span.scope = 'retrieve', if(
            (span.tenant, span.trace_id, span.span_id) IN (SELECT tenant, trace_id, span_id FROM rollup_responses),
            '',
            'retrieved'
        ),
        span.dialect = 'tokentrace' AND borne.borne_by != 'closed', '',
        borne.borne_by
    ) AS reason,
    span.scope != '' AND reason = '' AND NOT span.is_empty_failure,
    if(span.role != '', span.role, enclosing.role),
    multiIf(span.role != '', span.role_source, enclosing.role != '', 'step', ''),
    span.input_tokens + span.output_tokens
FROM rollup_spans AS span
LEFT JOIN enclosing ON enclosing.number = span.number
LEFT JOIN borne ON borne.number = span.number
WHERE span.scope != ''
    OR span.review_kind != ''
