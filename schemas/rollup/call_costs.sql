-- One row per call, part of a call, or human review of the batch: what it was, what it used, what it cost.
INSERT INTO call_costs
WITH
    -- Who reviews a request days later does not know whose it is: a review is for whom its trace is for.
    whose AS (
        SELECT
            tenant,
            trace_id,
            argMinIf(team, (started_at, span_id), team != '') AS team,
            argMinIf(feature, (started_at, span_id), feature != '') AS feature,
            argMinIf(customer, (started_at, span_id), customer != '') AS customer,
            argMinIf(project, (started_at, span_id), project != '') AS project,
            argMinIf(cost_center, (started_at, span_id), cost_center != '') AS cost_center,
            argMinIf(environment, (started_at, span_id), environment != '') AS environment,
            argMinIf(user, (started_at, span_id), user != '') AS user,
            argMinIf(session, (started_at, span_id), session != '') AS session
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_spans WHERE review_kind != '')
            AND part = 0
            AND (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
        GROUP BY
            tenant,
            trace_id
        UNION ALL
        SELECT
            tenant,
            trace_id,
            team,
            feature,
            customer,
            project,
            cost_center,
            environment,
            user,
            session
        FROM tcoai_by_trace FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_spans WHERE review_kind != '')
            AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_closed)
    ),
    costed AS (
        SELECT
            call.number AS number, call.tenant AS tenant, call.trace_id AS trace_id, call.span_id AS span_id, call.part AS part,
            call.started_at AS started_at, call.ended_at AS ended_at, call.name AS name, call.service AS service,
            call.operation AS operation, call.provider AS provider, call.model AS model, call.tier AS tier, call.role AS role,
            call.role_source AS role_source, call.bearing AS bearing, call.borne_by AS borne_by, call.is_sum AS is_sum,
            call.was_silent AS was_silent, call.usage_source AS usage_source, call.estimated_counts AS estimated_counts,
            call.tokens AS tokens, call.meters AS meters, call.unexplained_tokens AS unexplained_tokens,
            call.attempts AS attempts, call.failed_attempts AS failed_attempts, call.unknown_attempts AS unknown_attempts,
            call.failed AS failed, call.is_free AS is_free, call.seconds AS seconds,
            call.reasoning_visibility AS reasoning_visibility, call.stream_end AS stream_end, call.review_kind AS review_kind,
            call.team AS team, call.feature AS feature, call.customer AS customer, call.project AS project,
            call.cost_center AS cost_center, call.environment AS environment, call.user AS user, call.session AS session,
            call.reported_cost AS reported_cost, call.cost_reporter AS cost_reporter,
            call.reported_currency AS reported_currency, call.rate_key AS rate_key, call.waste AS waste, call.pool AS pool,
            call.commitments AS commitments, call.list_cost AS list_cost, call.contracted_cost AS contracted_cost,
            call.rates_covered AS rates_covered, call.rates_total AS rates_total, call.unpriced AS unpriced,
            call.lines.kind AS kinds,
            call.lines.unit AS units,
            call.lines.segment AS segments,
            call.lines.component AS components,
            call.lines.sub_component AS sub_components,
            call.lines.quantity AS quantities,
            call.lines.list_price AS list_prices,
            call.lines.price AS prices,
            call.lines.per AS per,
            suspect.suspected AS suspected,
            suspect.repeats AS repeats,
            greatest(sampled.sampling.1, 1) AS sampling_numerator,
            greatest(sampled.sampling.2, 1) AS sampling_denominator,
            -- What is shared is not of the trace that it is in.
            arrayMap(
                (amount, status) -> if(status = 'shared', toDecimal128(0, 18), amount),
                if(empty(said.amounts), call.lines.amount, said.amounts),
                call.lines.status
            ) AS amounts,
            if(
                empty(said.amounts),
                call.lines.status,
                arrayMap((segment, status) -> if(segment = 'attempt', status, 'reported'), segments, call.lines.status)
            ) AS statuses,
            if(
                empty(said.amounts),
                call.rates_covered,
                call.rates_total - arrayCount(
                    (segment, status) -> segment = 'attempt' AND status IN ('fallback', 'unpriced'),
                    segments,
                    call.lines.status
                )
            ) AS rates_known,
            if(call.review_kind != '', 'review', 'call') AS kind,
            if(call.review_kind != '', call.ended_at, call.started_at) AS charged_at,
            call.is_shared AND arrayAll(status -> status = 'shared', statuses) AS is_shared,
            call.bearing AND NOT is_shared AND NOT (call.is_sum AND empty(kinds)) AS bears,
            kind = 'call' AND call.part = 0 AND call.bearing AS is_call
        FROM rollup_lines AS call
        LEFT ANY JOIN rollup_suspects AS suspect ON suspect.number = call.number
        LEFT ANY JOIN (
            SELECT
                number,
                sampling
            FROM rollup_spans
            WHERE sampling.1 > 1
                AND review_kind = ''
        ) AS sampled ON sampled.number = call.number
        LEFT ANY JOIN rollup_reported AS said ON said.number = call.number AND said.part = call.part
        WHERE if(call.review_kind != '', call.ended_at, call.started_at) >= {kept:DateTime}
    )
SELECT
    costed.tenant,
    toStartOfHour(charged_at) AS hour,
    costed.trace_id,
    costed.span_id,
    costed.part,
    kind,
    charged_at,
    costed.started_at,
    costed.ended_at,
    costed.name,
    costed.service,
    costed.operation,
    costed.provider,
    costed.model,
    costed.tier,
    if(kind = 'review', '', costed.role) AS known_role,
    if(kind = 'review', '', costed.role_source),
    bears,
    multiIf(costed.is_shared, 'shares', costed.bearing AND NOT bears, 'parts', costed.borne_by),
    costed.usage_source,
    costed.estimated_counts,
    costed.tokens,
    costed.meters,
    if(costed.unexplained_tokens > 0, costed.unexplained_tokens, NULL),
    if(costed.part = 0, costed.attempts, 0),
    if(costed.part = 0, costed.failed_attempts, 0),
    if(costed.part = 0, costed.unknown_attempts, 0),
    costed.sampling_numerator,
    costed.sampling_denominator,
    costed.waste,
    costed.suspected,
    costed.repeats,
    costed.reasoning_visibility,
    costed.stream_end,
    costed.review_kind,
    if(costed.team = '', whose.team, costed.team),
    if(costed.feature = '', whose.feature, costed.feature),
    if(costed.customer = '', whose.customer, costed.customer),
    if(costed.project = '', whose.project, costed.project),
    if(costed.cost_center = '', whose.cost_center, costed.cost_center),
    if(costed.environment = '', whose.environment, costed.environment),
    if(costed.user = '', whose.user, costed.user),
    if(costed.session = '', whose.session, costed.session),
    costed.rate_key,
    costed.pool,
    costed.commitments,
    (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}),
    costed.kinds,
    costed.units,
    costed.segments,
    costed.components,
    costed.sub_components,
    costed.quantities,
    costed.list_prices,
    costed.prices,
    costed.per,
    costed.amounts,
    costed.statuses,
    ${components: arraySum((component, amount) -> if(component = '{name}', ifNull(amount, 0), 0), components, amounts)},
    arraySum(amount -> ifNull(amount, 0), amounts),
    -- How reasoning divides an output that was reported moves money between components, and makes none.
    arraySum(
        (kind, unit, segment, amount) -> if(
            multiIf(
                segment = 'attempt', true,
                empty(estimated_counts), usage_source = 'estimated',
                kind = 'token' AND has(estimated_counts, if(startsWith(unit, 'output_'), 'output', 'input'))
            ),
            ifNull(amount, 0),
            0
        ),
        kinds,
        units,
        segments,
        amounts
    ),
    costed.list_cost,
    costed.contracted_cost,
    costed.reported_cost,
    costed.cost_reporter,
    costed.reported_currency,
    is_call AND (
        (costed.usage_source = 'reported' AND costed.unknown_attempts = 0)
        OR costed.is_free
        -- An HTTP error before any output is not billed, and that is known.
        OR (costed.failed AND costed.was_silent AND costed.attempts > 0 AND costed.failed_attempts = costed.attempts AND costed.unknown_attempts = 0)
    ),
    is_call,
    arraySum(
        (kind, quantity, status) -> if(kind = 'token' AND status != 'unpriced', toUInt64(quantity), 0),
        kinds,
        quantities,
        statuses
    ),
    arraySum((kind, quantity) -> if(kind = 'token', toUInt64(quantity), 0), kinds, quantities),
    costed.rates_known,
    costed.rates_total,
    -- What used nothing needs no role.
    (is_call AND (notEmpty(kinds) OR NOT bears) AS needs_role) AND known_role != 'unknown',
    needs_role,
    kind = 'review' AND isNotNull(costed.seconds) AND costed.unpriced = 0,
    kind = 'review',
    {run:String},
    {version:UInt64},
    0
FROM costed
LEFT ANY JOIN whose ON whose.tenant = costed.tenant AND whose.trace_id = costed.trace_id AND costed.review_kind != ''
