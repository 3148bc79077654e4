-- One row per call or review of the batch: whether it bears cost, and its role.
INSERT INTO rollup_bearing
WITH
    inside AS (
        SELECT
            inner_span.number AS number,
            outer_span.number AS ancestor,
            rollup_ancestry.distance AS distance,
            inner_span.class = outer_span.class AS is_same_class,
            inner_span.scope = 'call' AND outer_span.scope IN ('call', 'aggregate') AS is_call_in_call,
            inner_span.dialect AS inner_dialect,
            outer_span.dialect AS outer_dialect,
            outer_span.scope AS outer_scope,
            outer_span.role AS outer_role,
            inner_span.response_id = '' OR outer_span.response_id = '' OR inner_span.response_id = outer_span.response_id AS may_be_same,
            inner_span.input_tokens = outer_span.input_tokens AND inner_span.output_tokens = outer_span.output_tokens AS is_same_usage
        FROM rollup_ancestry
        INNER JOIN rollup_spans AS inner_span ON inner_span.number = rollup_ancestry.number
        INNER JOIN rollup_spans AS outer_span ON outer_span.number = rollup_ancestry.ancestor
    ),
    outer_calls AS (
        SELECT DISTINCT ancestor AS number
        FROM inside
        WHERE is_call_in_call
            AND is_same_class
            AND outer_dialect = 'gen_ai'
    ),
    -- Somebody else's account of a call of ours: inside it, or beside it at the same time with the same id and usage.
    retold AS (
        SELECT number
        FROM inside
        WHERE inner_dialect = 'gen_ai'
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
        FROM inside
        WHERE outer_role != ''
        GROUP BY number
    ),
    decided AS (
        SELECT
            span.number AS number,
            span.tenant AS tenant,
            span.trace_id AS trace_id,
            span.span_id AS span_id,
            multiIf(
                span.review_kind != '', '',
                span.scope = 'aggregate', 'aggregate',
                span.scope = 'retrieve', if((span.tenant, span.trace_id, span.span_id) IN (SELECT tenant, trace_id, span_id FROM rollup_responses), '', 'retrieved'),
                span.dialect = 'tokentrace', '',
                span.number IN (SELECT number FROM outer_calls), 'inner_call',
                span.number IN (SELECT number FROM retold), 'same_response',
                ''
            ) AS borne_by,
            span.scope != '' AND borne_by = '' AND NOT span.is_empty_failure AS counts,
            multiIf(span.role != '', span.role, enclosing.role) AS named_role,
            multiIf(span.role != '', span.role_source, enclosing.role != '', 'step', '') AS named_source,
            span.input_tokens + span.output_tokens AS own_tokens,
            span.scope AS scope
        FROM rollup_spans AS span
        LEFT JOIN enclosing ON enclosing.number = span.number
        WHERE span.scope != ''
            OR span.review_kind != ''
    ),
    explained AS (
        SELECT
            inside.ancestor AS number,
            sum(decided.own_tokens) AS tokens
        FROM inside
        INNER JOIN decided ON decided.number = inside.number
        WHERE decided.borne_by = ''
            AND inside.is_same_class
        GROUP BY inside.ancestor
    ),
    alone AS (
        SELECT
            tenant,
            trace_id
        FROM decided
        GROUP BY
            tenant,
            trace_id
        HAVING countIf(counts) = 1
    ),
    -- Attention is a moment of one person: of two reviews at the same time, the later one counts what is left.
    attention AS (
        SELECT
            tenant,
            trace_id,
            span_id,
            seconds,
            toInt64(toUnixTimestamp(ended_at)) AS until,
            until - seconds AS since,
            max(if(isNull(seconds), 0, until)) OVER (
                PARTITION BY tenant, reviewer, if(reviewer = '', span_id, '')
                ORDER BY since, until, trace_id, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS taken_until
        FROM reviews FINAL
        WHERE (tenant, reviewer) IN (
            SELECT tenant, reviewer
            FROM llm_calls
            WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
                AND review_kind != ''
        )
    )
SELECT
    decided.number,
    decided.tenant,
    decided.trace_id,
    decided.span_id,
    decided.borne_by = '' AS bearing,
    decided.borne_by,
    multiIf(
        decided.named_role IN ('answer', 'plan', 'route', 'tool_select', 'tool_result', 'verify', 'summarise', 'memory', 'guardrail', 'delegate', 'retrieve', 'compact'), decided.named_role,
        decided.named_role = '' AND decided.counts AND (decided.tenant, decided.trace_id) IN (SELECT tenant, trace_id FROM alone), 'answer',
        'unknown'
    ) AS role,
    multiIf(role = 'unknown', '', decided.named_role = '', 'only_call', decided.named_source) AS role_source,
    if(decided.borne_by IN ('aggregate', 'inner_call') AND decided.own_tokens > 0, toInt64(decided.own_tokens) - toInt64(explained.tokens), NULL) AS unexplained_tokens,
    if(isNull(attention.seconds), NULL, toUInt32(greatest(0, attention.until - greatest(attention.since, attention.taken_until)))) AS seconds,
    response.usage_source AS read_source,
    response.tokens AS read_tokens,
    response.meters AS read_meters,
    response.model AS read_model,
    response.rate_key AS read_rate_key
FROM decided
LEFT JOIN explained ON explained.number = decided.number
LEFT JOIN attention
    ON attention.tenant = decided.tenant AND attention.trace_id = decided.trace_id AND attention.span_id = decided.span_id
LEFT ANY JOIN rollup_responses AS response
    ON response.tenant = decided.tenant AND response.trace_id = decided.trace_id AND response.span_id = decided.span_id
