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
    empty(call.tokens) AND empty(call.meters) AND call.part = 0 AS was_silent
SELECT
    call.tenant,
    toStartOfHour(charged_at) AS hour,
    call.trace_id,
    call.span_id,
    call.part,
    if(call.review_kind != '', 'review', 'call') AS kind,
    if(call.review_kind != '', call.ended_at, call.started_at) AS charged_at,
    call.started_at,
    call.ended_at,
    call.name,
    call.service,
    call.operation,
    call.provider,
    if(was_silent AND span.read_model != '', span.read_model, call.model),
    call.tier,
    multiIf(kind = 'review', '', call.part_kind = 'compaction', 'compact', span.role) AS known_role,
    if(kind = 'review', '', span.role_source),
    span.bearing AND NOT (call.part = 0 AND has(call.flags, 'main_is_sum_of_parts') AND empty(used.lines)) AS bears,
    if(span.bearing AND NOT bears, 'parts', span.borne_by),
    if(was_silent AND span.read_source != '', span.read_source, call.usage_source) AS origin,
    if(was_silent, [], call.estimated_counts) AS guessed,
    if(was_silent, span.read_tokens, call.tokens),
    if(was_silent, span.read_meters, call.meters),
    if(span.unexplained_tokens > 0, span.unexplained_tokens, NULL),
    if(call.part = 0, call.attempts, 0),
    if(call.part = 0, call.failed_attempts, 0),
    if(call.part = 0, call.unknown_attempts, 0),
    used.waste,
    suspect.suspected,
    suspect.repeats,
    call.reasoning_visibility,
    call.stream_end,
    call.review_kind,
    if(call.team = '', whose.team, call.team),
    if(call.feature = '', whose.feature, call.feature),
    if(call.customer = '', whose.customer, call.customer),
    if(call.project = '', whose.project, call.project),
    if(call.cost_center = '', whose.cost_center, call.cost_center),
    if(call.environment = '', whose.environment, call.environment),
    if(call.user = '', whose.user, call.user),
    if(call.session = '', whose.session, call.session),
    used.pool,
    used.commitments,
    (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}),
    used.lines.kind,
    used.lines.unit,
    used.lines.segment,
    used.lines.component,
    used.lines.sub_component,
    used.lines.quantity,
    used.lines.list_price,
    used.lines.price,
    used.lines.per,
    used.lines.amount,
    used.lines.status,
    ${components: used.{name}},
    ${components(' + '): used.{name}} AS sum_of_components,
    -- How reasoning divides an output that was reported moves money between components, and makes none.
    arraySum(
        (kind, unit, segment, amount) -> if(
            multiIf(
                segment = 'attempt', true,
                empty(guessed), origin = 'estimated',
                kind = 'token' AND has(guessed, if(startsWith(unit, 'output_'), 'output', 'input'))
            ),
            ifNull(amount, 0),
            0
        ),
        used.lines.kind,
        used.lines.unit,
        used.lines.segment,
        used.lines.amount
    ),
    used.list_cost,
    used.contracted_cost,
    if(call.part = 0 AND isNull(call.reported_cost), span.read_cost, call.reported_cost),
    if(call.part = 0 AND isNull(call.reported_cost), span.read_reporter, call.cost_reporter),
    (kind = 'call' AND call.part = 0 AND span.bearing AS is_call) AND (
        (origin = 'reported' AND call.unknown_attempts = 0)
        OR call.billable = 'false'
        -- An HTTP error before any output is not billed, and that is known.
        OR (call.failed AND was_silent AND call.attempts > 0 AND call.failed_attempts = call.attempts AND call.unknown_attempts = 0)
    ),
    is_call,
    used.tokens_covered,
    used.tokens_total,
    used.rates_covered,
    used.rates_total,
    -- What used nothing needs no role.
    (is_call AND (notEmpty(used.lines) OR NOT bears) AS needs_role) AND known_role != 'unknown',
    needs_role,
    kind = 'review' AND isNotNull(span.seconds) AND used.unpriced = 0,
    kind = 'review',
    {run:String},
    {version:UInt64},
    0
FROM llm_calls AS call FINAL
INNER JOIN rollup_bearing AS span ON span.tenant = call.tenant AND span.trace_id = call.trace_id AND span.span_id = call.span_id
LEFT ANY JOIN rollup_suspects AS suspect ON suspect.number = span.number
LEFT ANY JOIN (
    SELECT
        number,
        part,
        waste,
        pool,
        commitments,
        lines,
        ${components: {name}},
        list_cost,
        contracted_cost,
        tokens_covered,
        tokens_total,
        rates_covered,
        rates_total,
        unpriced
    FROM rollup_lines
    WHERE isNull(reported)
) AS used ON used.number = span.number AND used.part = call.part
LEFT ANY JOIN whose ON whose.tenant = call.tenant AND whose.trace_id = call.trace_id AND call.review_kind != ''
WHERE (call.tenant, call.trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
    AND (call.scope != '' OR call.review_kind != '')
    AND if(call.review_kind != '', call.ended_at, call.started_at) >= {kept:DateTime}
