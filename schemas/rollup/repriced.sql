-- One row per call, part of a call, or human review: as it is in the books, at the prices of another run.
-- What it used, in which role, and of which component that is, no price decides. Where a price list has a fee per request, or
-- what a call was said to have cost counts, there are other lines, and more has to be read than the books.
INSERT INTO call_costs
WITH
    rated AS (
        SELECT
            call.tenant AS tenant, call.hour AS hour, call.trace_id AS trace_id, call.span_id AS span_id,
            call.part AS part, call.kind AS kind, call.charge_time AS charge_time, call.started_at AS started_at,
            call.ended_at AS ended_at, call.name AS name, call.service AS service, call.operation AS operation,
            call.provider AS provider, call.model AS model, call.tier AS tier, call.role AS role,
            call.role_source AS role_source, call.bearing AS bearing, call.borne_by AS borne_by,
            call.usage_source AS usage_source, call.estimated_counts AS estimated_counts, call.tokens AS tokens,
            call.meters AS meters, call.unexplained_tokens AS unexplained_tokens, call.attempts AS attempts,
            call.failed_attempts AS failed_attempts, call.unknown_attempts AS unknown_attempts,
            call.sampling_numerator AS sampling_numerator, call.sampling_denominator AS sampling_denominator,
            call.waste AS waste, call.suspected AS suspected, call.repeats AS repeats,
            call.reasoning_visibility AS reasoning_visibility, call.stream_end AS stream_end,
            call.review_kind AS review_kind, call.team AS team, call.feature AS feature, call.customer AS customer,
            call.project AS project, call.cost_center AS cost_center, call.environment AS environment,
            call.user AS user, call.session AS session, call.rate_key AS rate_key, call.reported_cost AS reported_cost,
            call.cost_reporter AS cost_reporter, call.reported_currency AS reported_currency,
            call.usage_covered AS usage_covered, call.usage_total AS usage_total, call.tokens_total AS tokens_total,
            call.roles_covered AS roles_covered, call.roles_total AS roles_total,
            call.reviews_covered AS reviews_covered, call.reviews_total AS reviews_total,
            call.lines.kind AS kinds,
            call.lines.unit AS units,
            call.lines.segment AS segments,
            call.lines.component AS components,
            call.lines.sub_component AS sub_components,
            call.lines.quantity AS quantities,
            call.lines.status AS booked,
            has(booked, 'shared') AS is_shared,
            arrayExists((unit, status) -> unit != 'tool_use_prompt' AND status = 'free', units, booked) AS is_free,
            arrayExists((unit, status) -> unit = 'tool_use_prompt' AND status = 'free', units, booked) AS is_tool_prompt_free,
            rates.rate AS rate,
            rates.tiers AS tiers,
            rates.times AS times,
            if(call.charge_time >= rates.pool_from AND call.charge_time < rates.pool_to, rates.pool, '') AS pool,
            if(
                pool = '',
                arrayFilter(
                    each -> call.charge_time >= each.valid_from AND call.charge_time < each.valid_to,
                    rates.commitments
                ),
                []
            ) AS commitments
        FROM call_costs AS call FINAL
        ASOF LEFT JOIN (
            SELECT
                rate,
                tenant,
                rate_key,
                valid_from,
                tiers,
                times,
                pool,
                pool_from,
                pool_to,
                commitments
            FROM rollup_rates
        ) AS rates
            ON rates.tenant = call.tenant AND rates.rate_key = call.rate_key AND rates.valid_from <= call.charge_time
    ),
    priced AS (
        SELECT
            rated.*,
            arraySum((bucket, count) -> if(startsWith(bucket, 'output_'), 0, count), mapKeys(tokens), mapValues(tokens)) AS prompt_tokens,
            toUInt64(rate) * 4294967296 + 65536 * (
                1
                + arrayCount(time -> toUnixTimestamp(charge_time) % 86400 >= time, times) * (length(tiers) + 1)
                + arrayCount(tier -> prompt_tokens > tier, tiers)
            ) AS cell
        FROM rated
    ),
    ${valued}
SELECT
    tenant, hour, trace_id, span_id, part, kind, charge_time, started_at, ended_at, name, service, operation,
    provider, model, tier, role, role_source, bearing, borne_by, usage_source, estimated_counts, tokens, meters,
    unexplained_tokens, attempts, failed_attempts, unknown_attempts, sampling_numerator, sampling_denominator,
    waste, suspected, repeats, reasoning_visibility, stream_end, review_kind, team, feature, customer, project,
    cost_center, environment, user, session, rate_key,
    if(empty(kinds), '', pool),
    if(has(statuses, 'committed'), commitments.id, []),
    (SELECT any(currency) FROM rating_runs WHERE rating_run = {run:String}),
    kinds,
    units,
    segments,
    components,
    sub_components,
    quantities,
    list_prices,
    prices,
    per,
    arrayMap((amount, status) -> if(status = 'shared', toDecimal128(0, 18), amount), amounts, statuses) AS own_amounts,
    statuses,
    ${components: arraySum((component, amount) -> if(component = '{name}', ifNull(amount, 0), 0), components, own_amounts)},
    arraySum(amount -> ifNull(amount, 0), own_amounts),
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
        own_amounts
    ),
    arraySum((amount, status) -> if(status = 'shared', 0, ifNull(amount, 0)), list_amounts, statuses),
    arraySum((amount, status) -> if(status = 'shared', 0, ifNull(amount, 0)), contracted_amounts, statuses),
    reported_cost, cost_reporter, reported_currency, usage_covered, usage_total,
    arraySum(
        (kind, quantity, status) -> if(kind = 'token' AND status != 'unpriced', toUInt64(quantity), 0),
        kinds,
        quantities,
        statuses
    ),
    tokens_total,
    arrayCount((kind, status) -> kind != 'review' AND status = 'priced', kinds, statuses),
    arrayCount((kind, status) -> kind != 'review' AND status IN ('priced', 'fallback', 'unpriced'), kinds, statuses),
    roles_covered,
    roles_total,
    -- One whose time nobody measured has no line.
    if(
        empty(kinds),
        reviews_covered,
        kind = 'review' AND NOT arrayExists(
            (status, price) -> status = 'unpriced' OR (status = 'shared' AND isNull(price)),
            statuses,
            prices
        )
    ),
    reviews_total,
    {run:String},
    {version:UInt64},
    0
FROM summed
