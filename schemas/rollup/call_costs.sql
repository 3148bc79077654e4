-- One row per call, part of a call, or human review of the batch: its lines, each in one component, and their sums.
INSERT INTO call_costs
WITH
    -- The price lists of the batch, by what its calls are known by; kinds of call without a price stay, for their pool.
    rates AS (
        SELECT
            resolved.rate_key AS rate_key,
            toDateTime64(listed.valid_from, 9) AS valid_from,
            listed.currency AS currency,
            listed.units AS units,
            arrayMap(is_own -> is_own AND resolved.is_exact, listed.is_own) AS is_own,
            listed.per AS per,
            listed.tiers AS tiers,
            listed.times AS times,
            listed.prices AS prices,
            if(empty(listed.list_prices), listed.prices, listed.list_prices) AS list_prices,
            resolved.pool AS pool,
            pools.valid_from AS pool_from,
            pools.valid_to AS pool_to
        FROM (
            SELECT
                rate_key,
                catalogue,
                rate_provider,
                rate_model,
                rate_context,
                is_exact,
                pool
            FROM model_resolution FINAL
            WHERE rating_run = {run:String}
        ) AS resolved
        LEFT JOIN (
            SELECT
                catalogue,
                provider,
                model,
                context,
                valid_from,
                currency,
                units,
                is_own,
                per,
                tiers,
                times,
                prices,
                list_prices
            FROM price_rates FINAL
            WHERE (catalogue, provider, model, context) IN (
                SELECT
                    catalogue,
                    rate_provider,
                    rate_model,
                    rate_context
                FROM model_resolution
                WHERE rating_run = {run:String}
            )
        ) AS listed
            ON listed.catalogue = resolved.catalogue
            AND listed.provider = resolved.rate_provider
            AND listed.model = resolved.rate_model
            AND listed.context = resolved.rate_context
        LEFT JOIN (
            SELECT
                pool,
                valid_from,
                valid_to
            FROM capacity_pools FINAL
            WHERE rating_run = {run:String}
        ) AS pools ON pools.pool = resolved.pool
    ),
    calls AS (
        SELECT
            call.tenant AS tenant,
            call.trace_id AS trace_id,
            call.span_id AS span_id,
            call.part AS part,
            if(call.review_kind != '', 'review', 'call') AS kind,
            call.started_at AS started_at,
            call.ended_at AS ended_at,
            if(call.review_kind != '', call.ended_at, call.started_at) AS charge_time,
            call.name AS name,
            call.service AS service,
            call.operation AS operation,
            call.class AS class,
            call.provider AS provider,
            call.tier AS tier,
            call.part_kind AS part_kind,
            empty(call.tokens) AND empty(call.meters) AND call.part = 0 AS was_silent,
            if(was_silent, span.read_tokens, call.tokens) AS tokens,
            if(was_silent, span.read_meters, call.meters) AS meters,
            if(was_silent AND span.read_source != '', span.read_source, call.usage_source) AS usage_source,
            if(was_silent AND span.read_model != '', span.read_model, call.model) AS model,
            if(was_silent AND span.read_model != '', span.read_rate_key, call.rate_key) AS rate_key,
            call.flags AS flags,
            call.billable AS billable,
            call.reported_cost AS reported_cost,
            call.reasoning_visibility AS reasoning_visibility,
            call.finish_reasons AS finish_reasons,
            call.stream_end AS stream_end,
            call.segment_kinds AS segment_kinds,
            call.segment_tokens AS segment_tokens,
            call.failed AS failed,
            call.attempts AS attempts,
            call.failed_attempts AS failed_attempts,
            call.unknown_attempts AS unknown_attempts,
            call.team AS team,
            call.feature AS feature,
            call.customer AS customer,
            call.project AS project,
            call.cost_center AS cost_center,
            call.environment AS environment,
            call.user AS user,
            call.session AS session,
            call.review_kind AS review_kind,
            span.seconds AS seconds,
            span.bearing AND NOT (call.part = 0 AND has(call.flags, 'main_is_sum_of_parts')) AS bearing,
            if(span.bearing AND NOT bearing, 'parts', span.borne_by) AS borne_by,
            span.unexplained_tokens AS unexplained_tokens,
            multiIf(
                call.review_kind != '', '',
                call.part_kind = 'compaction', 'compact',
                span.role IN ('answer', 'plan', 'route', 'tool_select', 'tool_result', 'verify', 'summarise', 'memory', 'guardrail', 'delegate', 'retrieve', 'compact'), span.role,
                'unknown'
            ) AS role,
            if(role = 'unknown', '', span.role_source) AS role_source
        FROM llm_calls AS call FINAL
        INNER JOIN rollup_bearing AS span
            ON span.tenant = call.tenant AND span.trace_id = call.trace_id AND span.span_id = call.span_id
        WHERE (call.tenant, call.trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND (call.scope != '' OR call.review_kind != '')
    ),
    -- What was used, in the order in which a cache takes it: read, then written, then fresh.
    used AS (
        SELECT
            calls.*,
            rates.currency AS currency,
            rates.units AS rate_units,
            rates.is_own AS rate_is_own,
            rates.per AS rate_per,
            if(
                rates.pool != '' AND (isNull(rates.pool_from) OR calls.charge_time >= rates.pool_from) AND (isNull(rates.pool_to) OR calls.charge_time < rates.pool_to),
                rates.pool,
                ''
            ) AS pool,
            CAST(calls.tokens, 'Array(Tuple(unit String, count UInt64))') AS all_tokens,
            arraySort(
                used_unit -> (multiIf(startsWith(used_unit.unit, 'cache_read'), 0, startsWith(used_unit.unit, 'cache_write'), 1, 2), used_unit.unit),
                arrayFilter(used_unit -> calls.bearing AND used_unit.count > 0 AND (startsWith(used_unit.unit, 'input_') OR startsWith(used_unit.unit, 'cache_')), all_tokens)
            ) AS prompt,
            arraySort(arrayFilter(used_unit -> calls.bearing AND used_unit.count > 0 AND NOT (startsWith(used_unit.unit, 'input_') OR startsWith(used_unit.unit, 'cache_')), all_tokens)) AS beside_prompt,
            arraySort(arrayFilter(meter -> calls.bearing AND meter.count > 0, CAST(calls.meters, 'Array(Tuple(unit String, count Decimal(18, 6)))'))) AS metered,
            arraySum(used_unit -> used_unit.count, arrayFilter(used_unit -> NOT startsWith(used_unit.unit, 'output_'), all_tokens)) AS input_tokens,
            -- The cell of the price list: time of day, then size of the request.
            1 + arrayCount(time -> toUnixTimestamp(calls.started_at) % 86400 >= time, rates.times) * (length(rates.tiers) + 1) + arrayCount(tier -> input_tokens > tier, rates.tiers) AS cell,
            rates.prices[cell] AS rate_prices,
            rates.list_prices[cell] AS rate_list_prices,
            arraySum(prompt.count) AS prompt_tokens,
            arraySum(calls.segment_tokens) AS told_tokens,
            multiIf(
                calls.stream_end = 'failed', 'failed',
                calls.failed AND calls.stream_end NOT IN ('closed', 'dropped', 'cancelled'), 'failed',
                hasAny(calls.finish_reasons, ['content_filter', 'content_filtered', 'safety', 'prohibited_content', 'blocklist', 'spii', 'recitation', 'guardrail_intervened']), 'rejected',
                hasAny(calls.finish_reasons, ['length', 'max_tokens', 'model_length', 'max_output_tokens', 'incomplete'])
                    AND calls.tokens['output_reasoning'] > 0
                    AND calls.tokens['output_text'] + calls.tokens['output_audio'] + calls.tokens['output_image'] = 0, 'truncated',
                ''
            ) AS waste
        FROM calls
        ASOF LEFT JOIN rates ON rates.rate_key = calls.rate_key AND rates.valid_from <= calls.started_at
    ),
    -- The application's own account of its prompt, scaled to what the provider counted: whole tokens, largest remainder first.
    scaled AS (
        SELECT
            used.*,
            if(told_tokens = 0 OR prompt_tokens = 0, [], arrayMap(tokens -> toUInt128(tokens) * prompt_tokens, segment_tokens)) AS shares,
            arrayMap(share -> toUInt64(intDiv(share, told_tokens)), shares) AS floors,
            arraySlice(arraySort((place, share) -> (-toInt128(share % told_tokens), place), arrayEnumerate(shares), shares), 1, prompt_tokens - arraySum(floors)) AS topped_up,
            arrayCumSum(arrayMap((tokens, place) -> tokens + has(topped_up, place), floors, arrayEnumerate(floors))) AS segment_ends,
            arrayCumSum(prompt.count) AS unit_ends,
            arraySort(arrayDistinct(arrayFilter(end -> end > 0, arrayConcat(segment_ends, unit_ends)))) AS ends
        FROM used
    ),
    -- Pieces: whatever of one unit belongs to one segment of the prompt.
    pieces AS (
        SELECT
            scaled.*,
            arrayConcat(
                arrayMap(
                    (end, size) -> (
                        'token',
                        prompt.unit[arrayFirstIndex(unit_end -> unit_end >= end, unit_ends)],
                        if(empty(segment_ends), '', segment_kinds[arrayFirstIndex(segment_end -> segment_end >= end, segment_ends)]),
                        toDecimal64(size, 6)
                    ),
                    ends,
                    arrayPopFront(arrayDifference(arrayPushFront(ends, 0)))
                ),
                arrayMap(used_unit -> ('token', used_unit.unit, '', toDecimal64(used_unit.count, 6)), beside_prompt),
                arrayMap(meter -> ('meter', meter.unit, '', meter.count), metered),
                if(kind = 'call' AND part = 0 AND bearing AND has(rate_units, 'requests') AND notEmpty(all_tokens), [('meter', 'requests', '', toDecimal64(1, 6))], []),
                if(kind = 'review' AND seconds > 0, [('review', 'review_seconds', '', toDecimal64(assumeNotNull(seconds), 6))], [])
            ) AS piece
        FROM scaled
    ),
    -- Each component in the order of its rank takes of a piece what it claims and what is left.
    claimed AS (
        SELECT
            pieces.*,
            arrayFilter(
                claim -> claim.quantity > 0,
                arrayFlatten(
                    arrayMap(
                        (kind, unit, segment, quantity) -> arrayMap(
                            (component, sub_component, reached, before) -> CAST(
                                (kind, unit, segment, component, sub_component, reached - before),
                                'Tuple(kind LowCardinality(String), unit LowCardinality(String), segment LowCardinality(String), component LowCardinality(String), sub_component LowCardinality(String), quantity Decimal(18, 6))'
                            ),
                            [${components: '{name}'}],
                            [${components: {sub_component}}],
                            arrayMap(claim -> least(claim, quantity), arrayCumSum([${components: greatest({claimed}, 0)}])),
                            arrayPushFront(arrayPopBack(arrayMap(claim -> least(claim, quantity), arrayCumSum([${components: greatest({claimed}, 0)}]))), 0)
                        ),
                        piece.1,
                        piece.2,
                        piece.3,
                        piece.4
                    )
                )
            ) AS line
        FROM pieces
    ),
    priced AS (
        SELECT
            claimed.*,
            arrayMap(unit -> indexOf(rate_units, unit), line.unit) AS place,
            arrayMap(
                (unit, at) -> multiIf(
                    billable = 'false' OR (unit = 'tool_use_prompt' AND has(flags, 'tool_use_prompt_free')), 'free',
                    pool != '', 'allocated',
                    at = 0, 'unpriced',
                    rate_is_own[at], 'priced',
                    'fallback'
                ),
                line.unit,
                place
            ) AS status,
            arrayMap(at -> if(at = 0, NULL, rate_list_prices[at]), place) AS list_price,
            arrayMap((at, how) -> multiIf(how IN ('free', 'allocated'), toDecimal128(0, 18), at = 0, NULL, rate_prices[at]), place, status) AS price,
            arrayMap(at -> if(at = 0, 1, rate_per[at]), place) AS per,
            arrayMap(
                (unit_kind, quantity, each_price, bought) -> if(
                    unit_kind = 'token',
                    toUInt64(quantity) * each_price,
                    toDecimal128(roundBankers(divideDecimal(toDecimal256(quantity, 6) * each_price, toDecimal256(bought, 0), 36), 18), 18)
                ),
                line.kind, line.quantity, price, per
            ) AS amount,
            arrayMap(
                (unit_kind, quantity, each_price, bought, how) -> multiIf(
                    how = 'free', toDecimal128(0, 18),
                    unit_kind = 'token', toUInt64(quantity) * each_price,
                    toDecimal128(roundBankers(divideDecimal(toDecimal256(quantity, 6) * each_price, toDecimal256(bought, 0), 36), 18), 18)
                ),
                line.kind, line.quantity, list_price, per, status
            ) AS list_amount
        FROM claimed
    )
SELECT
    tenant,
    toStartOfHour(charge_time) AS hour,
    trace_id,
    span_id,
    part,
    kind,
    charge_time,
    started_at,
    ended_at,
    name,
    service,
    operation,
    provider,
    model,
    tier,
    role,
    role_source,
    bearing,
    borne_by,
    usage_source,
    tokens,
    meters,
    if(unexplained_tokens > 0, unexplained_tokens, NULL) AS unexplained,
    if(part = 0, attempts, 0),
    if(part = 0, failed_attempts, 0),
    waste,
    reasoning_visibility,
    stream_end,
    review_kind,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    pool,
    if(currency = '', 'USD', currency),
    line.kind,
    line.unit,
    line.segment,
    line.component,
    line.sub_component,
    line.quantity,
    list_price,
    price,
    per,
    amount,
    status,
    ${components: arraySum(arrayMap((component, each) -> if(component = '{name}', ifNull(each, 0), 0), line.component, amount)) AS {name}_sum},
    ${components(' + '): {name}_sum} AS total_sum,
    if(usage_source = 'estimated', total_sum, 0) AS estimated_sum,
    arraySum(each -> ifNull(each, 0), list_amount) AS list_sum,
    total_sum AS contracted_sum,
    reported_cost,
    has_usage_total AND (
        usage_source = 'reported'
        OR billable = 'false'
        OR (failed AND was_silent AND attempts > 0 AND failed_attempts = attempts AND unknown_attempts = 0)
    ) AS has_usage,
    kind = 'call' AND part = 0 AND bearing AS has_usage_total,
    arraySum((unit_kind, quantity, how) -> if(unit_kind = 'token' AND how != 'unpriced', toUInt64(quantity), 0), line.kind, line.quantity, status),
    arraySum((unit_kind, quantity) -> if(unit_kind = 'token', toUInt64(quantity), 0), line.kind, line.quantity),
    arrayCount((unit_kind, how) -> unit_kind != 'review' AND how = 'priced', line.kind, status),
    arrayCount((unit_kind, how) -> unit_kind != 'review' AND how IN ('priced', 'fallback', 'unpriced'), line.kind, status),
    has_usage_total AND role != 'unknown',
    has_usage_total,
    kind = 'review' AND isNotNull(seconds) AND NOT has(status, 'unpriced'),
    kind = 'review',
    {run:String},
    {version:UInt64}
FROM priced
