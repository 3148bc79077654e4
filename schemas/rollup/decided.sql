-- One row per call or review of the batch: whether it bears cost, and the role that it or a span around it names.
INSERT INTO rollup_decided
WITH
    outer_calls AS (
        SELECT DISTINCT ancestor AS number
        FROM rollup_ancestry
        WHERE is_call_in_call
            AND is_same_class
            AND outer_dialect = 'gen_ai'
    ),
    -- Somebody else's account of a call of ours: inside it, or beside it at the same time with the same id and usage.
    retold AS (
        SELECT number
        FROM rollup_ancestry
        WHERE dialect = 'gen_ai'
            AND outer_dialect = 'tokentrace'
            AND outer_scope = 'call'
            AND is_same_class
            AND (may_be_same OR is_same_usage)
        UNION DISTINCT
        SELECT theirs.number
        FROM rollup_spans AS theirs
        INNER JOIN rollup_spans AS other
            ON other.tenant = theirs.tenant AND other.trace_id = theirs.trace_id AND other.response_id = theirs.response_id
        WHERE theirs.dialect = 'gen_ai'
            AND theirs.scope = 'call'
            AND theirs.response_id != ''
            AND other.scope = 'call'
            AND other.started_at <= theirs.ended_at
            AND theirs.started_at <= other.ended_at
            AND other.input_tokens = theirs.input_tokens
            AND other.output_tokens = theirs.output_tokens
            -- Of two foreign accounts without one of ours, the first stands.
            AND (other.dialect = 'tokentrace' OR (other.started_at, other.span_id) < (theirs.started_at, theirs.span_id))
            AND other.number NOT IN (SELECT number FROM outer_calls)
    ),
    enclosing AS (
        SELECT
            number,
            argMin(outer_role, distance) AS role
        FROM rollup_ancestry
        WHERE outer_role != ''
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
        span.dialect = 'tokentrace', '',
        span.number IN (SELECT number FROM outer_calls), 'inner_call',
        span.number IN (SELECT number FROM retold), 'same_response',
        ''
    ) AS borne_by,
    span.scope != '' AND borne_by = '' AND NOT span.is_empty_failure,
    if(span.role != '', span.role, enclosing.role),
    multiIf(span.role != '', span.role_source, enclosing.role != '', 'step', ''),
    span.input_tokens + span.output_tokens
FROM rollup_spans AS span
LEFT JOIN enclosing ON enclosing.number = span.number
WHERE span.scope != ''
    OR span.review_kind != ''
