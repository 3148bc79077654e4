-- One row per call, part of a call, or review of the batch that used anything: its lines, each in one component.
INSERT INTO rollup_lines
WITH
    -- What each bearing call used, with the price list that held when it began.
    used AS (
        SELECT
            span.number AS number,
            call.tenant AS tenant,
            call.part AS part,
            call.review_kind AS review_kind,
            call.operation AS operation,
            call.reasoning_visibility AS reasoning_visibility,
            call.stream_end AS stream_end,
            if(call.part_kind = 'compaction', 'compact', span.role) AS role,
            empty(call.tokens) AND empty(call.meters) AND call.part = 0 AS was_silent,
            if(was_silent, span.read_tokens, call.tokens) AS tokens,
            if(was_silent, span.read_meters, call.meters) AS meters,
            if(was_silent AND span.read_model != '', span.read_rate_key, call.rate_key) AS rate_key,
            -- Attention is paid for when it ends, at the price of then.
            if(call.review_kind = '', call.started_at, call.ended_at) AS started_at,
            call.segment_kinds AS segment_kinds,
            call.segment_tokens AS segment_tokens,
            call.unsettled_tokens AS unsettled_tokens,
            call.billable = 'false' AS is_free,
            span.reported AS reported,
            has(call.flags, 'tool_use_prompt_free') AS is_tool_prompt_free,
            span.seconds AS seconds,
            multiIf(
                call.review_kind != '', '',
                call.broke, 'failed',
                span.number IN (SELECT number FROM rollup_rejected), 'rejected',
                hasAny(
                    call.finish_reasons,
                    [
                        'content_filter', 'content_filtered', 'safety', 'prohibited_content', 'blocklist', 'spii', 'recitation',
                        'guardrail_intervened'
                    ]
                ), 'rejected',
                hasAny(call.finish_reasons, ['length', 'max_tokens', 'model_length', 'max_output_tokens', 'incomplete'])
                    AND tokens['output_reasoning'] > 0
                    AND tokens['output_text'] + tokens['output_audio'] + tokens['output_image'] = 0, 'truncated',
                ''
            ) AS waste
        FROM llm_calls AS call FINAL
        INNER JOIN rollup_bearing AS span
            ON span.tenant = call.tenant AND span.trace_id = call.trace_id AND span.span_id = call.span_id
        WHERE (call.tenant, call.trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND (call.scope != '' OR call.review_kind != '')
            AND span.bearing
            -- Parts that used nothing cannot share what their call is said to have cost.
            AND NOT (
                call.part = 0
                AND has(call.flags, 'main_is_sum_of_parts')
                AND (isNull(span.reported) OR arrayExists(count -> count > 0, arrayConcat(mapValues(call.tokens), mapValues(call.meters))))
            )
    ),
    -- A cache takes the prompt from its front: what is read, then what is written, then the rest, then what the provider
    -- added to it. Media that are counted apart are the media of the prompt, wherever they stand: units and parts alike come last.
    ordered AS (
        SELECT
            used.*,
            rates.rate AS rate,
            if(used.started_at >= rates.pool_from AND used.started_at < rates.pool_to, rates.pool, '') AS pool,
            arrayFilter(
                each -> pool = '' AND used.started_at >= each.valid_from AND used.started_at < each.valid_to,
                rates.commitments
            ) AS commitments,
            arraySort(
                each -> (
                    startsWith(each.1, 'output_'),
                    match(each.1, '_(image|audio|video)$'),
                    multiIf(
                        startsWith(each.1, 'cache_read'), 0,
                        startsWith(each.1, 'cache_write'), 1,
                        startsWith(each.1, 'input_'), 2,
                        3
                    ),
                    each.1
                ),
                arrayFilter(each -> each.2 > 0, CAST(used.tokens, 'Array(Tuple(String, UInt64))'))
            ) AS all_tokens,
            arrayFilter(each -> NOT startsWith(each.1, 'output_'), all_tokens) AS prompt,
            arraySlice(all_tokens, length(prompt) + 1) AS beside_prompt,
            arrayExists(each -> match(each.1, '_(image|audio|video)$'), prompt) AS has_media,
            arraySort(
                place -> (has_media AND used.segment_kinds[place] = 'media', place),
                arrayEnumerate(used.segment_kinds)
            ) AS segment_places,
            arrayMap(place -> used.segment_kinds[place], segment_places) AS part_kinds,
            arrayMap(place -> used.segment_tokens[place], segment_places) AS part_tokens,
            -- A fee per request exists where a price list knows one, and where a call said its cost but nothing it used.
            used.review_kind = '' AND used.part = 0
                AND if(
                    empty(all_tokens) AND NOT arrayExists(count -> count > 0, mapValues(used.meters)),
                    isNotNull(used.reported),
                    has(rates.units, 'requests')
                ) AS has_request,
            arraySum(each -> if(startsWith(each.1, 'output_'), 0, each.2), all_tokens) AS input_tokens,
            toUInt16(
                1
                + arrayCount(time -> toUnixTimestamp(used.started_at) % 86400 >= time, rates.times) * (length(rates.tiers) + 1)
                + arrayCount(tier -> input_tokens > tier, rates.tiers)
            ) AS cell
        FROM used
        ASOF LEFT JOIN rollup_rates AS rates
            ON rates.tenant = used.tenant AND rates.rate_key = used.rate_key AND rates.valid_from <= used.started_at
    ),
    -- The application's account of its prompt, scaled to what the provider counted: whole tokens, largest remainder first.
    scaled AS (
        SELECT
            ordered.*,
            arraySum(prompt.2) AS prompt_tokens,
            arraySum(part_tokens) AS told_tokens,
            if(told_tokens = 0 OR prompt_tokens = 0, [], arrayMap(told -> toUInt128(told) * prompt_tokens, part_tokens)) AS shares,
            arrayMap(share -> toUInt64(intDiv(share, told_tokens)), shares) AS floors,
            arraySlice(
                arraySort((place, share) -> (-toInt128(share % told_tokens), place), arrayEnumerate(shares), shares),
                1,
                prompt_tokens - arraySum(floors)
            ) AS topped_up,
            arrayCumSum(arrayMap((whole, place) -> whole + has(topped_up, place), floors, arrayEnumerate(floors))) AS segment_ends,
            arrayCumSum(prompt.2) AS unit_ends,
            arraySort(arrayDistinct(arrayFilter(end -> end > 0, arrayConcat(segment_ends, unit_ends)))) AS ends
        FROM ordered
    ),
    -- Pieces: what of one unit belongs to one segment of the prompt.
    cut AS (
        SELECT
            number,
            part,
            review_kind,
            operation,
            reasoning_visibility,
            stream_end,
            role,
            waste,
            rate,
            cell,
            pool,
            commitments,
            is_free,
            is_tool_prompt_free,
            reported,
            arrayConcat(
                arrayMap(
                    (end, size) -> (
                        'token',
                        prompt[arrayFirstIndex(unit_end -> unit_end >= end, unit_ends)].1,
                        if(
                            empty(segment_ends),
                            '',
                            part_kinds[arrayFirstIndex(segment_end -> segment_end >= end, segment_ends)]
                        ),
                        toDecimal64(size, 6)
                    ),
                    ends,
                    arrayPopFront(arrayDifference(arrayPushFront(ends, 0)))
                ),
                arrayMap(each -> ('token', each.1, '', toDecimal64(each.2, 6)), beside_prompt),
                -- Whether a cache would have been read, nobody knows either.
                if(unsettled_tokens > 0, [('token', 'input_text', 'attempt', toDecimal64(unsettled_tokens, 6))], []),
                arrayMap(
                    each -> ('meter', each.1, '', each.2),
                    arraySort(arrayFilter(each -> each.2 > 0, CAST(meters, 'Array(Tuple(String, Decimal(18, 6)))')))
                ),
                if(has_request, [('meter', 'requests', '', toDecimal64(1, 6))], []),
                if(seconds > 0, [('review', 'review_seconds', '', toDecimal64(assumeNotNull(seconds), 6))], [])
            ) AS pieces
        FROM scaled
    ),
    call_units AS (
        SELECT
            number,
            part,
            review_kind,
            operation,
            reasoning_visibility,
            stream_end,
            role,
            waste,
            rate,
            cell,
            pool,
            commitments,
            is_free,
            is_tool_prompt_free,
            reported,
            toUInt16(place) AS place,
            piece.1 AS kind,
            piece.2 AS unit,
            piece.3 AS segment,
            piece.4 AS quantity
        FROM cut
        ARRAY JOIN
            pieces AS piece,
            arrayEnumerate(pieces) AS place
    ),
    -- Each component, in the order of its rank, takes what it claims of what is left.
    claimed AS (
        SELECT
            call_units.*,
            [${components: toDecimal64(greatest({claimed}, 0), 6)}] AS claims
        FROM call_units
    ),
    priced AS (
        SELECT
            claimed.*,
            prices.per > 0 AS is_priced,
            if(is_priced, prices.list_price, NULL) AS list_price,
            multiIf(
                (is_free AND segment != 'attempt') OR (unit = 'tool_use_prompt' AND is_tool_prompt_free), 'free',
                pool != '', 'allocated',
                -- Whether an attempt is billed that got no answer, nobody knows.
                segment != 'attempt'
                    AND arrayExists(each -> if(each.is_spend, is_priced, has(each.units, unit)), commitments), 'committed',
                NOT is_priced, 'unpriced',
                prices.is_own, 'priced',
                'fallback'
            ) AS status,
            multiIf(status IN ('free', 'allocated'), toDecimal128(0, 18), is_priced, prices.price, NULL) AS price,
            greatest(prices.per, 1) AS per
        FROM claimed
        LEFT ANY JOIN rollup_prices AS prices ON prices.rate = claimed.rate AND prices.cell = claimed.cell AND prices.unit = claimed.unit
    ),
    lines AS (
        SELECT
            priced.*,
            line.1 AS rank,
            transform(rank, [${components: {rank}}], [${components: '{name}'}], '') AS component,
            multiIf(${components: rank = {rank}, {sub_component}}, '') AS sub_component,
            toDecimal64(line.2, 6) AS line_quantity,
            if(
                kind = 'token',
                toUInt64(line_quantity) * price,
                toDecimal128(roundBankers(divideDecimal(toDecimal256(line_quantity, 6) * price, toDecimal256(per, 0), 36), 18), 18)
            ) AS contracted_amount,
            if(status = 'committed', toDecimal128(0, 18), contracted_amount) AS amount,
            multiIf(
                status = 'free', toDecimal128(0, 18),
                kind = 'token', toUInt64(line_quantity) * list_price,
                toDecimal128(roundBankers(divideDecimal(toDecimal256(line_quantity, 6) * list_price, toDecimal256(per, 0), 36), 18), 18)
            ) AS list_amount
        FROM priced
        ARRAY JOIN
            arrayFilter(
                each -> each.2 > 0,
                arrayZip(
                    [${components: toUInt8({rank})}],
                    arrayPopFront(arrayDifference(arrayPushFront(arrayMap(sum -> least(sum, quantity), arrayCumSum(claims)), 0)))
                )
            ) AS line
    )
SELECT
    number,
    part,
    any(waste),
    any(pool),
    if(countIf(status = 'committed') = 0, [], any(commitments.id)) AS covering,
    if(any(pool) = '' AND empty(covering), any(reported), NULL),
    arraySort(
        each -> (each.1, each.2),
        groupArray((
            place, rank, kind, unit, segment, component, sub_component, line_quantity, list_price, price, per, amount, status
        ))
    ),
    ${components: sumIf(ifNull(amount, 0), component = '{name}')},
    sum(ifNull(list_amount, 0)),
    sum(ifNull(contracted_amount, 0)),
    sumIf(toUInt64(line_quantity), kind = 'token' AND status != 'unpriced'),
    sumIf(toUInt64(line_quantity), kind = 'token'),
    countIf(kind != 'review' AND status = 'priced'),
    countIf(kind != 'review' AND status IN ('priced', 'fallback', 'unpriced')),
    countIf(status = 'unpriced')
FROM lines
GROUP BY
    number,
    part
