-- One row per agent and currency: what was charged for the calls below it that are below no other agent in between.
WITH
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
        -- Of the key: all else is read of these traces alone.
        PREWHERE tenant = {tenant:String}
            AND part = 0
            AND trace_id IN (SELECT trace_id FROM charged)
    ),
    -- The spans of a trace side by side: of each, which of them is the next agent upwards, itself among them; 0 is none.
    climbed AS (
        SELECT
            trace_id,
            arraySort(groupArray((span_id, parent, agent))) AS spans,
            spans.1 AS ids,
            spans.3 AS agents,
            -- Every round goes as far again as all before it: 256 spans, for those that claim to enclose each other have no end.
            arrayFold(
                (above, round) -> arrayMap(place -> above[place], above),
                range(8),
                arrayMap(
                    (own, span, place) -> toUInt32(if(own = '', indexOfAssumeSorted(ids, span.2), place)),
                    agents,
                    spans,
                    arrayEnumerate(spans)
                )
            ) AS nearest_places
        FROM placed
        GROUP BY trace_id
        HAVING max(agent != '')
    ),
    nearest AS (
        SELECT
            trace_id,
            span_id,
            agents[nearest_place] AS agent
        FROM climbed
        ARRAY JOIN
            ids AS span_id,
            nearest_places AS nearest_place
        WHERE agent != ''
    ),
    wanted AS (
        SELECT
            charged.*,
            nearest.agent AS agent
        FROM charged
        LEFT JOIN nearest ON nearest.trace_id = charged.trace_id AND nearest.span_id = charged.span_id
    ),
    -- By ratio first, for maps are slow to add up.
    summed AS (
        SELECT
            agent,
            currency,
            sampling_numerator,
            sampling_denominator,
            ${components: sumIf(ifNull(wanted.amount, 0), component = '{name}') AS {name}},
            sum(ifNull(wanted.amount, 0)) AS total,
            sum(wanted.estimated) AS estimated,
            sum(wanted.allocated) AS allocated,
            sum(wanted.tokens) AS tokens,
            countIf(is_call) AS calls,
            countIf(is_unpriced) AS unpriced,
            count() AS lines
        FROM wanted
        GROUP BY
            agent,
            currency,
            sampling_numerator,
            sampling_denominator
    )
-- Amounts as text, as `breakdown` has them.
SELECT
    agent,
    currency,
    ${components: toString(sum(summed.{name})) AS {name}},
    toString(sum(summed.total)) AS total,
    toString(sum(summed.estimated)) AS estimated,
    toString(sum(summed.allocated)) AS allocated,
    toString(sum(summed.tokens)) AS tokens,
    sumMap(
        [(summed.sampling_numerator, summed.sampling_denominator)],
        [summed.calls],
        [toDecimal128(summed.tokens, 6)],
        [toDecimal128(summed.total, 18)]
    ) AS ratios,
    sum(summed.unpriced) AS unpriced,
    sum(summed.lines) AS lines
FROM summed
GROUP BY
    agent,
    currency
ORDER BY
    sum(summed.total) DESC,
    agent,
    currency
LIMIT {limit:UInt32} BY currency
