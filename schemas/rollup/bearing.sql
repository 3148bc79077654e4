-- One row per call or review of the batch: whether it bears cost, and its role.
INSERT INTO rollup_bearing
WITH
    explained AS (
        SELECT
            rollup_ancestry.ancestor AS number,
            sum(decided.own_tokens) AS tokens
        FROM rollup_ancestry
        INNER JOIN rollup_decided AS decided ON decided.number = rollup_ancestry.number
        WHERE decided.borne_by = ''
            AND rollup_ancestry.is_same_class
        GROUP BY rollup_ancestry.ancestor
    ),
    -- Failed attempts beside it make an only call no less.
    alone AS (
        SELECT
            tenant,
            trace_id,
            countIf(counts AND number NOT IN (SELECT number FROM rollup_spans WHERE broke)) AS sound
        FROM rollup_decided
        WHERE (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
        GROUP BY
            tenant,
            trace_id
        HAVING sound = 1
            OR (sound = 0 AND countIf(counts) = 1)
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
                PARTITION BY tenant, reviewer, if(reviewer = '', (trace_id, span_id), ('', ''))
                ORDER BY since, until, trace_id, span_id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS taken_until
        FROM reviews FINAL
        WHERE (tenant, reviewer) IN (SELECT tenant, reviewer FROM rollup_spans WHERE review_kind != '')
    )
SELECT
    decided.number,
    decided.tenant,
    decided.trace_id,
    decided.span_id,
    decided.borne_by = '',
    decided.borne_by,
    multiIf(
        decided.role IN (
            'answer', 'plan', 'route', 'tool_select', 'tool_result', 'verify', 'summarise', 'memory', 'guardrail', 'delegate',
            'retrieve', 'compact'
        ), decided.role,
        decided.role = ''
            AND decided.counts
            AND (decided.tenant, decided.trace_id) IN (SELECT tenant, trace_id FROM alone), 'answer',
        decided.role = '' AND inferred.role != '' AND NOT is_closed, inferred.role,
        'unknown'
    ) AS known_role,
    multiIf(
        known_role = 'unknown', '',
        decided.role != '', decided.role_source,
        (decided.tenant, decided.trace_id) IN (SELECT tenant, trace_id FROM alone), 'only_call',
        inferred.role_source
    ),
    if(
        decided.borne_by IN ('aggregate', 'inner_call')
            AND decided.own_tokens > 0
            -- What is inside of it is not known any more.
            AND NOT ((decided.tenant, decided.trace_id) IN (SELECT tenant, trace_id FROM rollup_closed) AS is_closed),
        toInt64(decided.own_tokens) - toInt64(explained.tokens),
        NULL
    ),
    if(
        isNull(attention.seconds),
        NULL,
        toUInt32(greatest(0, attention.until - greatest(attention.since, attention.taken_until)))
    ),
    response.usage_source,
    response.tokens,
    response.meters,
    response.model,
    response.rate_key,
    response.reported_cost,
    response.cost_reporter,
    response.reported_currency,
    response.delivered,
    if(isNull(own.reported), response.reported, own.reported)
FROM rollup_decided AS decided
LEFT JOIN explained ON explained.number = decided.number
LEFT ANY JOIN rollup_roles AS inferred ON inferred.number = decided.number
LEFT ANY JOIN attention
    ON attention.tenant = decided.tenant AND attention.trace_id = decided.trace_id AND attention.span_id = decided.span_id
LEFT ANY JOIN (SELECT number, reported FROM rollup_spans WHERE isNotNull(reported)) AS own ON own.number = decided.number
LEFT ANY JOIN rollup_responses AS response
    ON response.tenant = decided.tenant AND response.trace_id = decided.trace_id AND response.span_id = decided.span_id
