-- One row per agent and currency: what was charged for the calls below it that are below no other agent in between.
WITH RECURSIVE
    charged AS (
        SELECT
            trace_id,
            span_id,
            component,
            currency,
            amount,
            if(is_estimated, ifNull(amount, 0), 0) AS estimated,
            if(kind NOT IN ('token', 'meter', 'review'), ifNull(amount, 0), 0) AS allocated,
            if(kind = 'token', quantity, 0) AS tokens,
            isNull(amount) AS is_unpriced,
            kind IN ('token', 'meter') AS is_call,
            sampling_numerator,
            sampling_denominator
        FROM cost_lines
        WHERE tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
        UNION ALL
        SELECT
            trace_id,
            span_id,
            '' AS component,
            currency,
            NULL AS amount,
            0 AS estimated,
            0 AS allocated,
            0 AS tokens,
            true AS is_unpriced,
            false AS is_call,
            toUInt64(1) AS sampling_numerator,
            toUInt64(1) AS sampling_denominator
        FROM unknown_usage
        WHERE tenant = {tenant:String}
            AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    ),
    placed AS (
        SELECT
            trace_id,
            span_id,
            if(own_parent_id = '', parent_span_id, own_parent_id) AS parent,
            if(activity = 'agent', if(step = '', replaceOne(name, 'invoke_agent ', ''), step), '') AS agent
        FROM llm_calls FINAL
        WHERE tenant = {tenant:String}
            AND part = 0
            AND trace_id IN (SELECT trace_id FROM charged)
    ),
    walk AS (
        SELECT
            trace_id,
            span_id,
            parent,
            agent,
            toUInt16(0) AS distance
        FROM placed
        WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM charged)
        UNION ALL
        SELECT
            walk.trace_id AS trace_id,
            walk.span_id AS span_id,
            placed.parent AS parent,
            placed.agent AS agent,
            toUInt16(walk.distance + 1) AS distance
        FROM walk
        INNER JOIN placed ON placed.trace_id = walk.trace_id AND placed.span_id = walk.parent
        -- Spans that claim to enclose each other would walk for ever.
        WHERE walk.agent = '' AND walk.distance < 256
    ),
    nearest AS (
        SELECT
            trace_id,
            span_id,
            argMax(agent, distance) AS agent
        FROM walk
        GROUP BY
            trace_id,
            span_id
    ),
    wanted AS (
        SELECT
            charged.*,
            nearest.agent AS agent
        FROM charged
        LEFT JOIN nearest ON nearest.trace_id = charged.trace_id AND nearest.span_id = charged.span_id
    )
SELECT
    agent,
    currency,
    ${components: toString(sumIf(ifNull(wanted.amount, 0), component = '{name}')) AS {name}},
    toString(sum(ifNull(wanted.amount, 0))) AS total,
    toString(sum(wanted.estimated)) AS estimated,
    toString(sum(wanted.allocated)) AS allocated,
    toString(sum(wanted.tokens)) AS tokens,
    sumMap(
        [(wanted.sampling_numerator, wanted.sampling_denominator)],
        [toUInt64(wanted.is_call)],
        [toDecimal128(wanted.tokens, 6)],
        [toDecimal128(ifNull(wanted.amount, 0), 18)]
    ) AS ratios,
    countIf(is_unpriced) AS unpriced,
    count() AS lines
FROM wanted
GROUP BY
    agent,
    currency
ORDER BY
    sum(ifNull(wanted.amount, 0)) DESC,
    agent,
    currency
LIMIT {limit:UInt32} BY currency
