-- One row per call, part of a call, or review of the batch: what it was and used, and the lines of that, each in one component.
INSERT INTO rollup_lines
WITH
    -- What each call used, with the price list that held when it was charged.
    told AS (
        SELECT
            span.number AS number,
            call.tenant AS tenant,
            call.trace_id AS trace_id,
            call.span_id AS span_id,
            call.part AS part,
            call.started_at AS started_at,
            call.ended_at AS ended_at,
            -- Attention is paid for when it ends, at the price of then.
            if(call.review_kind = '', call.started_at, call.ended_at) AS charged_at,
            call.name AS name,
            call.service AS service,
            call.operation AS operation,
            call.provider AS provider,
            call.tier AS tier,
            call.attempts AS attempts,
            call.failed_attempts AS failed_attempts,
            call.unknown_attempts AS unknown_attempts,
            call.reasoning_visibility AS reasoning_visibility,
            call.stream_end AS stream_end,
            call.review_kind AS review_kind,
            call.review_kind != '' AND (call.review_session != '' OR notEmpty(call.reviewed)) AS is_shared,
            call.team AS team,
            call.feature AS feature,
            call.customer AS customer,
            call.project AS project,
            call.cost_center AS cost_center,
            call.environment AS environment,
            call.user AS user,
            call.session AS session,
            call.segment_kinds AS segment_kinds,
            call.segment_tokens AS segment_tokens,
            call.finish_reasons AS finish_reasons,
            call.broke AND span.number NOT IN (SELECT number FROM rollup_rejected WHERE verdict = 'accepted') AS broke,
            call.failed AS failed,
            call.billable = 'false' AS is_free,
            has(call.flags, 'tool_use_prompt_free') AS is_tool_prompt_free,
            call.part = 0 AND has(call.flags, 'main_is_sum_of_parts') AS is_sum,
            empty(call.tokens) AND empty(call.meters) AND call.part = 0 AS was_silent,
            -- What its provider told later is what it bills; until then there is what was counted here.
            was_silent OR (
                call.part = 0
                AND call.usage_source IN ('partial_stream', 'estimated')
                AND span.read_source = 'reported'
                AND notEmpty(span.read_tokens)
            ) AS is_read,
            if(is_read, span.read_tokens, call.tokens) AS tokens,
            if(is_read, span.read_meters, call.meters) AS meters,
            if(is_read AND span.read_model != '', span.read_model, call.model) AS model,
            if(is_read AND span.read_model != '', span.read_rate_key, call.rate_key) AS rate_key,
            if(is_read AND span.read_source != '', span.read_source, call.usage_source) AS usage_source,
            if(is_read, [], call.estimated_counts) AS estimated_counts,
            -- Who reads a response that is over has all of it then; of one that was cancelled, what it shows or its stream had shown.
            multiIf(
                NOT is_read, call.delivered,
                empty(call.delivered), span.read_delivered,
                mapApply(
                    (bucket, count) -> (bucket, greatest(count, call.delivered[bucket])),
                    mapFilter((bucket, count) -> mapContains(call.delivered, bucket), span.read_delivered)
                )
            ) AS delivered,
            call.part = 0 AND isNull(call.reported_cost) AS is_cost_read,
            if(is_cost_read, span.read_cost, call.reported_cost) AS reported_cost,
            if(is_cost_read, span.read_reporter, call.cost_reporter) AS cost_reporter,
            if(is_cost_read, span.read_currency, call.reported_currency) AS reported_currency,
            if(call.part_kind = 'compaction', 'compact', span.role) AS role,
            span.role_source AS role_source,
            span.bearing AS bearing,
            span.borne_by AS borne_by,
            span.unexplained_tokens AS unexplained_tokens,
            span.seconds AS seconds,
            span.reported AS reported,
            -- Parts that used nothing cannot share what their call is said to have cost.
            bearing AND NOT (
                is_sum
                AND (isNull(reported) OR arrayExists(count -> count > 0, mapValues(call.tokens)) OR arrayExists(count -> count > 0, mapValues(call.meters)))
            ) AS is_rated,
            if(is_rated, call.unsettled_tokens, 0) AS unsettled_tokens
        FROM llm_calls AS call FINAL
        -- Each has one; an inner join would copy whatever it joins that to.
        LEFT ANY JOIN rollup_bearing AS span
            ON span.tenant = call.tenant AND span.trace_id = call.trace_id AND span.span_id = call.span_id
        WHERE (call.tenant, call.trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND (call.scope != '' OR call.review_kind != '')
            AND span.number != 0
    ),
    -- A cache takes the prompt from its front: what is read, then what is written, then the rest, then what the provider
    -- added to it. Media that are counted apart are the media of the prompt, wherever they stand: units and parts alike come last.
    rated AS (
        SELECT
            told.*,
            rates.rate AS rate,
            rates.has_fee AS has_fee,
            rates.tiers AS tiers,
            rates.times AS times,
            if(told.charged_at >= rates.pool_from AND told.charged_at < rates.pool_to, rates.pool, '') AS pool,
            arrayFilter(
                each -> told.charged_at >= each.valid_from AND told.charged_at < each.valid_to,
                rates.commitments
            ) AS promised,
            if(told.is_rated, mapKeys(told.tokens), []) AS buckets,
            if(told.is_rated, mapValues(told.tokens), []) AS counts,
            arrayMap(
                bucket -> concat(
                    if(startsWith(bucket, 'output_'), '1', '0'),
                    if(endsWith(bucket, '_image') OR endsWith(bucket, '_audio') OR endsWith(bucket, '_video'), '1', '0'),
                    multiIf(
                        startsWith(bucket, 'cache_read'), '0',
                        startsWith(bucket, 'cache_write'), '1',
                        startsWith(bucket, 'input_'), '2',
                        '3'
                    ),
                    bucket
                ),
                buckets
            ) AS places
        FROM told
        ASOF LEFT JOIN (
            SELECT
                rate,
                tenant,
                rate_key,
                valid_from,
                has(units, 'requests') AS has_fee,
                tiers,
                times,
                pool,
                pool_from,
                pool_to,
                commitments
            FROM rollup_rates
        ) AS rates
            ON rates.tenant = told.tenant AND rates.rate_key = told.rate_key AND rates.valid_from <= told.charged_at
    ),
    ordered AS (
        SELECT
            rated.*,
            arraySort(arrayFilter((place, count) -> count > 0, places, counts)) AS used_places,
            arrayMap(place -> substring(place, 4), used_places) AS used_units,
            arraySort(
                (count, place) -> place,
                arrayFilter(count -> count > 0, counts),
                arrayFilter((place, count) -> count > 0, places, counts)
            ) AS used_counts,
            arrayCount(place -> place < '1', used_places) AS prompt_units,
            arrayExists(place -> startsWith(place, '01'), used_places) AS has_media
        FROM rated
    ),
    measured AS (
        SELECT
            ordered.*,
            if(pool = '', promised, []) AS commitments,
            arraySlice(used_units, 1, prompt_units) AS prompt,
            arraySlice(used_counts, 1, prompt_units) AS prompt_counts,
            arraySum(prompt_counts) AS prompt_tokens,
            arraySlice(used_units, prompt_units + 1) AS beside_prompt,
            arraySlice(used_counts, prompt_units + 1) AS beside_counts,
            if(
                has_media,
                arrayConcat(arrayFilter(each -> each != 'media', segment_kinds), arrayFilter(each -> each = 'media', segment_kinds)),
                segment_kinds
            ) AS part_kinds,
            if(
                has_media,
                arrayConcat(
                    arrayFilter((count, each) -> each != 'media', segment_tokens, segment_kinds),
                    arrayFilter((count, each) -> each = 'media', segment_tokens, segment_kinds)
                ),
                segment_tokens
            ) AS part_tokens,
            arraySum(part_tokens) AS told_tokens,
            arraySort(arrayFilter(
                each -> each.2 > 0,
                CAST(if(is_rated, meters, map()), 'Array(Tuple(String, Decimal(18, 6)))')
            )) AS used_meters,
            -- A fee per request exists where a price list knows one, and where a call said its cost but nothing it used.
            is_rated AND review_kind = '' AND part = 0
                AND if(empty(used_places) AND empty(used_meters), isNotNull(reported), has_fee) AS has_request,
            toUInt64(rate) * 4294967296 + 65536 * (
                1
                + arrayCount(time -> toUnixTimestamp(charged_at) % 86400 >= time, times) * (length(tiers) + 1)
                + arrayCount(tier -> prompt_tokens > tier, tiers)
            ) AS cell,
            multiIf(
                NOT is_rated OR review_kind != '', '',
                broke, 'failed',
                number IN (SELECT number FROM rollup_rejected WHERE verdict = 'rejected'), 'rejected',
                hasAny(
                    finish_reasons,
                    [
                        'content_filter', 'content_filtered', 'safety', 'prohibited_content', 'blocklist', 'spii', 'recitation',
                        'guardrail_intervened'
                    ]
                ), 'rejected',
                hasAny(finish_reasons, ['length', 'max_tokens', 'model_length', 'max_output_tokens', 'incomplete'])
                    AND has(used_units, 'output_reasoning')
                    AND NOT hasAny(used_units, ['output_text', 'output_audio', 'output_image']), 'truncated',
                ''
            ) AS waste
        FROM ordered
    ),
    -- The application's account of its prompt, scaled to what the provider counted: whole tokens, largest remainder first.
    shared AS (
        SELECT
            measured.*,
            -- Billed, and never handed over; of what is an error as a whole it makes no part.
            arrayMap(
                (unit, count) -> if(waste = '' AND mapContains(delivered, unit), count - least(count, delivered[unit]), 0),
                beside_prompt,
                beside_counts
            ) AS undelivered,
            if(told_tokens = 0 OR prompt_tokens = 0, [], arrayMap(told -> toUInt128(told) * prompt_tokens, part_tokens)) AS shares,
            arrayMap(share -> toUInt64(intDiv(share, told_tokens)), shares) AS floors
        FROM measured
    ),
    scaled AS (
        SELECT
            shared.*,
            arraySlice(
                arraySort(
                    (place, share) -> toUInt128(told_tokens - share % told_tokens) * 4294967296 + place,
                    arrayEnumerate(shares),
                    shares
                ),
                1,
                prompt_tokens - arraySum(floors)
            ) AS topped_up,
            arrayCumSum(arrayMap((whole, place) -> whole + has(topped_up, place), floors, arrayEnumerate(floors))) AS segment_ends,
            arrayCumSum(prompt_counts) AS unit_ends
        FROM shared
    ),
    bounded AS (
        SELECT
            scaled.*,
            if(
                empty(segment_ends),
                unit_ends,
                arraySort(arrayDistinct(arrayFilter(end -> end > 0, arrayConcat(segment_ends, unit_ends))))
            ) AS ends
        FROM scaled
    ),
    -- Pieces: what of one unit belongs to one segment of the prompt.
    cut AS (
        SELECT
            bounded.*,
            arrayConcat(
                arrayMap(
                    (end, size) -> (
                        'token',
                        prompt[arrayFirstIndex(unit_end -> unit_end >= end, unit_ends)],
                        if(
                            empty(segment_ends),
                            '',
                            toString(part_kinds[arrayFirstIndex(segment_end -> segment_end >= end, segment_ends)])
                        ),
                        toDecimal64(size, 6)
                    ),
                    ends,
                    arrayPopFront(arrayDifference(arrayPushFront(ends, 0)))
                ),
                arrayFilter(
                    piece -> piece.4 > 0,
                    arrayMap(
                        (unit, count, lost) -> ('token', unit, '', toDecimal64(count - lost, 6)),
                        beside_prompt,
                        beside_counts,
                        undelivered
                    )
                ),
                arrayFilter(
                    piece -> piece.4 > 0,
                    arrayMap((unit, lost) -> ('token', unit, 'undelivered', toDecimal64(lost, 6)), beside_prompt, undelivered)
                ),
                -- Whether a cache would have been read, nobody knows either.
                if(unsettled_tokens > 0, [('token', 'input_text', 'attempt', toDecimal64(unsettled_tokens, 6))], []),
                arrayMap(each -> ('meter', each.1, '', each.2), used_meters),
                if(has_request, [('meter', 'requests', '', toDecimal64(1, 6))], []),
                if(is_rated AND seconds > 0, [('review', 'review_seconds', '', toDecimal64(assumeNotNull(seconds), 6))], [])
            ) AS pieces
        FROM bounded
    ),
    -- Each component, in the order of its rank, takes what it claims of what is left.
    claimed AS (
        SELECT
            cut.*,
            arrayMap(
                (kind, unit, segment, quantity) -> arrayDifference(arrayMap(
                    sum -> least(sum, quantity),
                    arrayCumSum([toDecimal64(0, 6), ${components: toDecimal64(greatest({claimed}, 0), 6)}])
                )),
                pieces.1,
                pieces.2,
                pieces.3,
                pieces.4
            ) AS taken
        FROM cut
    ),
    divided AS (
        SELECT
            claimed.*,
            arrayFlatten(arrayMap(
                (place, kind, unit, segment, quantity, shares) -> arrayMap(
                    (rank, share) -> (
                        toUInt16(place),
                        rank,
                        kind,
                        unit,
                        segment,
                        multiIf(${components: rank = {rank}, toString({sub_component})}, ''),
                        toDecimal64(share, 6)
                    ),
                    arrayFilter((rank, share) -> share > 0, [toUInt8(0), ${components: toUInt8({rank})}], shares),
                    arrayFilter(share -> share > 0, shares)
                ),
                arrayEnumerate(taken),
                pieces.1,
                pieces.2,
                pieces.3,
                pieces.4,
                taken
            )) AS lines
        FROM claimed
    ),
    priced AS (
        SELECT
            divided.*,
            lines.2 AS ranks,
            lines.3 AS kinds,
            lines.4 AS units,
            lines.5 AS segments,
            lines.6 AS sub_components,
            lines.7 AS quantities
        FROM divided
    ),
    ${valued}
SELECT
    number,
    tenant,
    trace_id,
    span_id,
    part,
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
    is_sum,
    was_silent,
    usage_source,
    estimated_counts,
    tokens,
    meters,
    unexplained_tokens,
    attempts,
    failed_attempts,
    unknown_attempts,
    failed,
    is_free,
    seconds,
    reasoning_visibility,
    stream_end,
    review_kind,
    is_shared,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    reported_cost,
    cost_reporter,
    reported_currency,
    rate_key,
    if(empty(kinds), '', waste),
    if(empty(kinds), '', pool),
    if(has(statuses, 'committed'), commitments.id, []) AS covering,
    if(empty(kinds) OR pool != '' OR notEmpty(covering), NULL, reported) AS said_cost,
    kinds,
    units,
    segments,
    arrayMap(rank -> transform(rank, [${components: {rank}}], [${components: '{name}'}], ''), ranks),
    sub_components,
    quantities,
    list_prices,
    prices,
    per,
    amounts,
    statuses,
    arraySum((amount, status) -> if(status = 'shared', 0, ifNull(amount, 0)), list_amounts, statuses),
    arraySum((amount, status) -> if(status = 'shared', 0, ifNull(amount, 0)), contracted_amounts, statuses),
    arrayCount((kind, status) -> kind != 'review' AND status = 'priced', kinds, statuses),
    arrayCount((kind, status) -> kind != 'review' AND status IN ('priced', 'fallback', 'unpriced'), kinds, statuses),
    arrayCount(
        (segment, status, price) -> (status = 'unpriced' AND (segment = 'attempt' OR isNull(said_cost)))
            OR (status = 'shared' AND isNull(price)),
        segments,
        statuses,
        prices
    )
FROM summed
