-- One row per span, and one more per separately priced part of its answer: raw attributes read into typed columns.
-- Values arrive as text and are never trusted: what does not parse is absent, not zero.
-- Layer by layer, from within: what several others use is a column, as the engine spells out an alias for each of them, at every insert.
-- `tokentrace rollup renormalise` runs this same SELECT again over a range of `otel_traces`.
CREATE MATERIALIZED VIEW IF NOT EXISTS llm_calls_mv TO llm_calls AS
WITH
    toDecimal128OrNull(said['tokentrace.cost.reported'], 18) AS cost,
    if(reading != 0, theirs['session'], said['session.id']) AS told_session,
    if(reading != 0, theirs['user'], said['user.id']) AS told_user,
    -- LiteLLM names its own functions, those that are awaited with an `a` before.
    replaceRegexpOne(
        said_operation,
        '^a(completion|text_completion|responses|anthropic_messages|generate_content|embedding|rerank|image_generation|transcription|speech)$',
        '\\1'
    ) AS done,
    JSONExtract(said['tokentrace.input.segments'], 'Array(String)') AS segments,
    arrayFilter((attributes, event) -> event = 'tokentrace.attempt', EventAttributes, EventNames) AS attempt_events,
    toFloat64OrNull(said['tokentrace.review.active_time']) AS active_time,
    toFloat64OrNull(said['tokentrace.review.wait_time']) AS wait_time,
    JSONExtract(if(said['tokentrace.review.kind'] = '', '', said['tokentrace.review.traces']), 'Array(String)') AS reviewed_traces,
    if(number > 0, JSONExtractString(answer, 'model'), '') AS part_model
SELECT
    Tenant AS tenant,
    TraceId AS trace_id,
    SpanId AS span_id,
    toUInt16(number) AS part,
    ParentSpanId AS parent_span_id,
    said['tokentrace.parent.span_id'] AS own_parent_id,
    -- A span outside these years has a wrong clock; the hours of the other tables do not reach there.
    least(
        greatest(Timestamp, toDateTime64('1970-01-01 00:00:00', 9, 'UTC')),
        toDateTime64('2100-01-01 00:00:00', 9, 'UTC')
    ) AS started_at,
    -- A span of more than a year is one that nobody closed.
    addNanoseconds(started_at, least(Duration, 31622400000000000)) AS ended_at,
    SpanName AS name,
    ServiceName AS service,
    ScopeName AS library,
    multiIf(is_own, 'tokentrace', is_foreign, 'gen_ai', '') AS dialect,
    if(is_unread, 'unknown', their_convention) AS convention,
    arrayFilter(
        adjustment -> adjustment != '',
        arrayMap(
            each -> [
                if(is_cache_apart, 'input_plus_cache', ''),
                multiIf(isNotNull(thoughts), 'reasoning_of_total', is_reasoning_apart, 'output_plus_reasoning', '')
            ],
            once
        )[1]
    ) AS adjustments,
    multiIf(
        said_scope IN ('call', 'aggregate', 'retrieve'), said_scope,
        is_own AND notEmpty(own_tokens), 'call',
        NOT is_foreign, '',
        ${dialects.is_aggregate}, 'aggregate',
        'call'
    ) AS scope,
    said_operation AS operation,
    multiIf(
        done IN ('embeddings', 'embedding'), 'embedding',
        done IN (
            '', 'chat', 'text_completion', 'generate_content', 'completion', 'responses', 'messages', 'anthropic_messages'
        ), 'generation',
        done
    ) AS class,
    said_provider AS provider,
    if(part_model != '', part_model, said_model) AS model,
    -- What was asked for says nothing of a part that another model did.
    if(part_model != '', '', asked_model) AS request_model,
    said['server.address'] AS host,
    if(
        said['tokentrace.billing.service_tier'] = '' AND has(said_flags, 'batch'),
        'batch',
        said['tokentrace.billing.service_tier']
    ) AS tier,
    said['tokentrace.billing.region'] AS region,
    if(reading != 0, theirs['response_id'], said['gen_ai.response.id']) AS response_id,
    if(number > 0, JSONExtractString(answer, 'kind'), '') AS part_kind,
    if(is_foreign, 'reported', said['tokentrace.usage.source']) AS usage_source,
    multiIf(
        number > 0, mapFilter((bucket, count) -> count < implausible AND match(bucket, bucket_name), JSONExtract(answer, 'buckets', 'Map(String, UInt64)')),
        is_own, own_tokens,
        is_foreign, mapFromArrays(foreign_tokens.1, arrayMap(count -> assumeNotNull(count), foreign_tokens.2)),
        map()
    ) AS tokens,
    if(
        number > 0,
        mapFilter(
            (meter, count) -> count >= 0 AND count < implausible,
            mapApply(
                (meter, value) -> (meter, ifNull(toDecimal64OrNull(value, 6), toDecimal64(-1, 6))),
                -- As text: a number beyond the type would stop the insert.
                JSONExtract(answer, 'meters', 'Map(String, String)')
            )
        ),
        own_meters
    ) AS meters,
    if(is_inconsistent, arrayPushBack(said_flags, 'inconsistent'), said_flags) AS flags,
    said['tokentrace.usage.billable'] AS billable,
    if(number = 0 AND cost >= 0 AND cost < implausible, cost, NULL) AS reported_cost,
    if(isNull(reported_cost), '', said['tokentrace.cost.reporter']) AS cost_reporter,
    said['tokentrace.cost.currency'] AS reported_currency,
    said['tokentrace.reasoning.source'] AS reasoning_source,
    said['tokentrace.reasoning.visibility'] AS reasoning_visibility,
    -- A part of an answer that is priced apart was reported.
    if(number = 0, JSONExtract(said['tokentrace.estimate.counts'], 'Array(String)'), []) AS estimated_counts,
    if(number = 0, said['tokentrace.estimate.method'], '') AS estimate_method,
    if(
        number = 0,
        mapFilter(
            (count, error) -> error >= 0 AND isFinite(error),
            mapApply(
                (key, value) -> (substring(key, 27), ifNull(toFloat64OrNull(value), -1.)),
                mapFilter((key, value) -> startsWith(key, 'tokentrace.estimate.error.'), said)
            )
        ),
        map()
    ) AS estimate_errors,
    arrayMap(reason -> lower(reason), reasons) AS finish_reasons,
    toUInt16OrZero(said['tokentrace.output.tool_calls']) AS tool_calls,
    said['tokentrace.stream.end'] AS stream_end,
    -- Few spans tell of it, and those of the text among it: of the others nothing is looked through.
    arrayMap(
        text -> mapFilter(
            (bucket, count) -> count < implausible AND startsWith(bucket, 'output_'),
            mapApply(
                (key, value) -> (substring(key, 22), ifNull(toUInt64OrNull(value), implausible)),
                mapFilter((key, value) -> startsWith(key, 'tokentrace.delivered.'), said)
            )
        ),
        if(number = 0 AND said['tokentrace.delivered.output_text'] != '', [said['tokentrace.delivered.output_text']], [])
    )[1] AS delivered,
    arrayMap(segment -> splitByChar(':', segment)[1], segments) AS segment_kinds,
    arrayMap(segment -> least(toUInt64OrZero(splitByChar(':', segment)[2]), implausible), segments) AS segment_tokens,
    toUInt64OrNull(said['tokentrace.prefix.repeated']) AS repeated_tokens,
    StatusCode = 'Error' AS failed,
    said['error.type'] AS error_type,
    greatest(toUInt16(length(attempt_events)), toUInt16OrZero(said['tokentrace.attempts'])) AS attempts,
    arrayCount(
        attributes -> attributes['error.type'] != '' OR toUInt16OrZero(attributes['http.response.status_code']) >= 400,
        attempt_events
    ) AS failed_attempts,
    -- An HTTP error is not billed; of a connection that broke nobody knows.
    arrayCount(
        attributes -> attributes['error.type'] != ''
            AND attributes['http.response.status_code'] = ''
            AND attributes['tokentrace.attempt.billable'] != 'false',
        attempt_events
    ) AS unknown_attempts,
    if(
        number = 0,
        arraySum(arrayFilter(
            count -> count < implausible,
            arrayMap(
                attributes -> toUInt64OrZero(attributes['tokentrace.attempt.estimate.input']),
                arrayFilter(attributes -> attributes['tokentrace.attempt.billable'] = 'unknown', attempt_events)
            )
        )),
        0
    ) AS unsettled_tokens,
    -- What it comes to is worked out where it is read: of every function here the engine takes account at every insert.
    if(is_foreign, extract(lower(TraceState), '(?:^|,)[ \\t]*ot=([^, \\t]{1,256})[ \\t]*(?:,|$)'), '') AS sampling_state,
    toUInt32OrZero(if(is_foreign, said['SampleRate'], '')) AS sample_rate,
    transform(
        said['tokentrace.role'],
        ['supervise', 'handoff', 'judge'],
        ['delegate', 'delegate', 'verify'],
        said['tokentrace.role']
    ) AS role,
    said['tokentrace.role_source'] AS role_source,
    said['tokentrace.step.name'] AS step,
    said['tokentrace.work_unit.id'] AS work_unit,
    -- The conventions name an operation; OpenInference, OpenLLMetry, Langfuse and LoongSuite a kind of span.
    transform(
        lower(coalesce(
            nullIf(said['openinference.span.kind'], ''),
            nullIf(said['traceloop.span.kind'], ''),
            nullIf(said['langfuse.observation.type'], ''),
            nullIf(said['gen_ai.span.kind'], ''),
            if(their_convention = 'claude_code', nullIf(kind, ''), NULL),
            nullIf(said_operation, ''),
            if(said['mcp.method.name'] = 'tools/call', 'tool', '')
        )),
        [
            'agent', 'invoke_agent', 'interaction',
            'workflow', 'invoke_workflow',
            'tool', 'execute_tool',
            'step', 'agent_step', 'task', 'execute_task', 'chain', 'entry', 'invoke_node', 'execute_event_loop_cycle',
            'plan',
            'decision',
            'retriever', 'retrieval', 'reranker', 'vector_db_retrieve',
            'search_memory', 'create_memory', 'update_memory', 'upsert_memory', 'delete_memory',
            'guardrail',
            'evaluator', 'evaluation'
        ],
        [
            'agent', 'agent', 'agent',
            'workflow', 'workflow',
            'tool', 'tool',
            'step', 'step', 'step', 'step', 'step', 'step', 'step', 'step',
            'plan',
            'route',
            'retrieve', 'retrieve', 'retrieve', 'retrieve',
            'memory', 'memory', 'memory', 'memory', 'memory',
            'guardrail',
            'verify', 'verify'
        ],
        if(said['tokentrace.step.name'] = '' OR said_scope != '', '', 'step')
    ) AS activity,
    if(
        said['tokentrace.attribution.team'] != '',
        said['tokentrace.attribution.team'],
        ResourceAttributes['tokentrace.attribution.team']
    ) AS team,
    if(
        said['tokentrace.attribution.feature'] != '',
        said['tokentrace.attribution.feature'],
        ResourceAttributes['tokentrace.attribution.feature']
    ) AS feature,
    if(
        said['tokentrace.attribution.customer.id'] != '',
        said['tokentrace.attribution.customer.id'],
        ResourceAttributes['tokentrace.attribution.customer.id']
    ) AS customer,
    if(
        said['tokentrace.attribution.project.id'] != '',
        said['tokentrace.attribution.project.id'],
        ResourceAttributes['tokentrace.attribution.project.id']
    ) AS project,
    if(
        said['tokentrace.attribution.cost_center'] != '',
        said['tokentrace.attribution.cost_center'],
        ResourceAttributes['tokentrace.attribution.cost_center']
    ) AS cost_center,
    if(
        said['deployment.environment.name'] != '',
        said['deployment.environment.name'],
        ResourceAttributes['deployment.environment.name']
    ) AS environment,
    if(told_user != '', told_user, ResourceAttributes['user.id']) AS user,
    multiIf(
        said['tokentrace.review.session'] != '', said['tokentrace.review.session'],
        told_session != '', told_session,
        ResourceAttributes['session.id']
    ) AS session,
    mapApply(
        (key, value) -> (substring(key, 28), value),
        mapUpdate(
            mapFilter((key, value) -> startsWith(key, 'tokentrace.attribution.tag.'), ResourceAttributes),
            mapFilter((key, value) -> startsWith(key, 'tokentrace.attribution.tag.'), said)
        )
    ) AS tags,
    said['tokentrace.review.kind'] AS review_kind,
    said['tokentrace.review.decision'] AS review_decision,
    -- Whole seconds; more than a day of attention in one review is a broken clock, not work.
    if(active_time >= 0 AND active_time <= 86400, toUInt32(round(assumeNotNull(active_time))), NULL) AS review_seconds,
    if(wait_time >= 0 AND wait_time <= 31622400, toUInt32(round(assumeNotNull(wait_time))), NULL) AS review_wait_seconds,
    said['tokentrace.review.reviewer.id'] AS reviewer,
    said['tokentrace.review.reviewer.role'] AS reviewer_role,
    if(review_kind = '', '', said['tokentrace.review.session']) AS review_session,
    -- A trace whose items nobody counted is one item.
    mapFromArrays(
        arrayMap(each -> replaceRegexpOne(each, ':[0-9]{1,15}$', ''), reviewed_traces),
        arrayMap(each -> if(match(each, ':[0-9]{1,15}$'), toUInt64OrZero(extract(each, ':([0-9]{1,15})$')), 1), reviewed_traces)
    ) AS reviewed,
    said['tokentrace.report'] AS report,
    said['tokentrace.reject.reason'] AS reject_reason,
    said['tokentrace.reject.extent'] AS reject_extent,
    said['tokentrace.reject.response_id'] AS rejected_response,
    said['tokentrace.accept.response_id'] AS accepted_response,
    -- Without a region, as it was before regions counted: what is stored has its price list still.
    multiIf(
        review_kind != '', sipHash64('human_review', reviewer_role, '', '', ''),
        region = '', sipHash64(provider, model, request_model, tier, host),
        sipHash64(provider, model, request_model, tier, host, region)
    ) AS rate_key,
    IngestedAt AS ingested_at
FROM (
    SELECT
        *,
        -- Sound that the rest of its side cannot hold may be cached, or thought, and is left in the text.
        if(audio_input <= fresh_input, audio_input, NULL) AS heard,
        if(audio_output <= shown_output, audio_output, NULL) AS spoken,
        arrayConcat(
            [''],
            parts,
            if(
                has(said_flags, 'main_is_sum_of_parts') AND notEmpty(other_meters),
                [concat('{"kind":"tools","meters":', toJSONString(other_meters), '}')],
                []
            )
        ) AS answers,
        arrayFilter(
            pair -> isNotNull(pair.2),
            arrayMap(
                each -> [
                    ('input_text', toUInt64(fresh_input - ifNull(heard, 0))),
                    ('input_audio', heard),
                    ('cache_read', cache_read),
                    ('cache_write_unknown', cache_write),
                    ('output_text', toUInt64(shown_output - ifNull(spoken, 0))),
                    ('output_audio', spoken),
                    ('output_reasoning', reasoning)
                ],
                once
            )[1]
        ) AS foreign_tokens,
        if(
            startsWith(said_reasons, '['),
            JSONExtract(said_reasons, 'Array(String)'),
            arrayFilter(reason -> reason != '', [said_reasons])
        ) AS reasons
    FROM (
        SELECT
            *,
            if(is_cache_apart, said_input, toUInt64(said_input - cached)) AS fresh_input,
            is_foreign AND (
                (is_cache_beyond AND NOT counts_cache_apart) OR (is_reasoning_beyond AND NOT counts_reasoning_apart)
            ) AS is_inconsistent,
            is_reasoning_beyond OR isNotNull(thoughts) OR (counts_reasoning_apart AND reasoning > 0) AS is_reasoning_apart,
            if(is_reasoning_apart, said_output, toUInt64(said_output - ifNull(reasoning, 0))) AS shown_output,
            -- What the whole was billed beside its tokens and no part tells of, such as the searches before a fallback.
            mapFilter(
                (meter, count) -> count > 0,
                mapApply(
                    (meter, count) -> (
                        meter,
                        count - arraySum(
                            part -> greatest(
                                ifNull(toDecimal64OrNull(JSONExtract(part, 'meters', meter, 'String'), 6), toDecimal64(0, 6)),
                                toDecimal64(0, 6)
                            ),
                            parts
                        )
                    ),
                    own_meters
                )
            ) AS other_meters
        FROM (
            SELECT
                *,
                if(isNull(thoughts), said_reasoning, toUInt64(thoughts)) AS reasoning,
                is_cache_beyond OR (counts_cache_apart AND cached > 0) AS is_cache_apart,
                isNull(thoughts) AND ifNull(reasoning, 0) > ifNull(said_output, 0) AS is_reasoning_beyond,
                -- In an array of one, so that it is worked out for these spans alone.
                if(is_foreign, [reading], []) AS once
            FROM (
                SELECT
                    *,
                    -- A count beyond any request is a fault of its sender; believed, it would swamp every sum.
                    1000000000 AS implausible,
                    '^(input_|cache_|output_|tool_use_prompt$)' AS bucket_name,
                    if(reading != 0, theirs['request_model'], said['gen_ai.request.model']) AS asked_model,
                    if(reading != 0, theirs['response_model'], said['gen_ai.response.model']) AS answering_model,
                    if(answering_model != '', answering_model, asked_model) AS said_model,
                    multiIf(
                        reading != 0, ${dialects.provider},
                        said['gen_ai.provider.name'] != '', said['gen_ai.provider.name'],
                        said['gen_ai.system']
                    ) AS told_provider,
                    ${dialects.known_provider} AS said_provider,
                    lower(multiIf(
                        reading = 0, said['gen_ai.operation.name'],
                        theirs['operation'] != '', theirs['operation'],
                        ${dialects.operation_of_kind}
                    )) AS said_operation,
                    if(reading != 0, theirs['finish_reasons'], said['gen_ai.response.finish_reasons']) AS said_reasons,
                    toUInt64OrNull(theirs['input']) AS said_input,
                    toUInt64OrNull(theirs['output']) AS said_output,
                    toUInt64OrNull(theirs['cache_read']) AS cache_read,
                    toUInt64OrNull(theirs['cache_write']) AS cache_write,
                    toUInt64OrNull(theirs['reasoning']) AS said_reasoning,
                    toUInt64OrNull(theirs['total']) AS total,
                    toUInt64OrNull(theirs['input_audio']) AS audio_input,
                    toUInt64OrNull(theirs['output_audio']) AS audio_output,
                    ${dialects.convention} AS their_convention,
                    ${dialects.cache_apart} AS counts_cache_apart,
                    ${dialects.reasoning_apart} AS counts_reasoning_apart,
                    arraySlice(JSONExtractArrayRaw(said['tokentrace.usage.parts']), 1, 1000) AS parts,
                    -- Parts that were cut off on the way cannot bear what the whole would then not bear.
                    arrayFilter(
                        flag -> flag != 'main_is_sum_of_parts' OR notEmpty(parts),
                        JSONExtract(said['tokentrace.usage.flags'], 'Array(String)')
                    ) AS said_flags,
                    mapFilter(
                        (bucket, count) -> count < implausible AND match(bucket, bucket_name),
                        mapApply(
                            (key, value) -> (substring(key, 18), ifNull(toUInt64OrNull(value), implausible)),
                            mapFilter((key, value) -> startsWith(key, 'tokentrace.usage.'), said)
                        )
                    ) AS own_tokens,
                    mapFilter(
                        (meter, count) -> count >= 0 AND count < implausible,
                        mapApply(
                            (key, value) -> (substring(key, 18), ifNull(toDecimal64OrNull(value, 6), toDecimal64(-1, 6))),
                            mapFilter((key, value) -> startsWith(key, 'tokentrace.meter.'), said)
                        )
                    ) AS own_meters,
                    -- Other instrumentations report totals: caches inside the input, reasoning inside the output, unless their dialect differs.
                    -- Google counts thoughts beside the output; who passes that on as it is tells of them in the total alone.
                    if(
                        isNull(said_reasoning) AND position(said_model, 'gemini') > 0 AND total < implausible AND total > said_input + said_output,
                        total - said_input - said_output,
                        NULL
                    ) AS thoughts,
                    NOT is_own
                        AND (isNotNull(said_input) OR isNotNull(said_output))
                        AND ifNull(said_input, 0) < implausible
                        AND ifNull(said_output, 0) < implausible AS is_foreign,
                    ifNull(cache_read, 0) + ifNull(cache_write, 0) AS cached,
                    -- Where the part exceeds its whole, the sender counts apart what the convention counts inside.
                    cached > ifNull(said_input, 0) AS is_cache_beyond
                FROM (
                    SELECT
                        *,
                        lower(theirs['kind']) AS kind
                    FROM (
                        SELECT
                            *,
                            -- What its dialect makes of it, by the names of `dialects.yaml`; empty where it has none.
                            arrayMap(told -> ${dialects.theirs}, if(reading = 0, [], told_once))[1] AS theirs,
                            -- Of no dialect, though it counts tokens: nothing of it is believed.
                            reading = 0
                                AND arrayExists(
                                    told -> arrayExists(value -> isNotNull(toUInt64OrNull(value)), mapValues(told)),
                                    told_once
                                ) AS is_unread
                        FROM (
                            SELECT
                                *,
                                -- Which entry of `dialects.yaml` it is read by; 0: none.
                                arrayMap(told -> ${dialects.reading}, told_once)[1] AS reading
                            FROM (
                                SELECT
                                    Timestamp,
                                    TraceId,
                                    SpanId,
                                    ParentSpanId,
                                    TraceState,
                                    SpanName,
                                    ServiceName,
                                    ScopeName,
                                    ResourceAttributes,
                                    Duration,
                                    StatusCode,
                                    Tenant,
                                    IngestedAt,
                                    SpanAttributes AS said,
                                    Events.Name AS EventNames,
                                    Events.Attributes AS EventAttributes,
                                    said['tokentrace.usage.scope'] AS said_scope,
                                    ScopeName = 'tokentrace' OR said_scope != '' AS is_own,
                                    -- What a span of another instrumentation has of keys that any dialect uses, or that look like counts of
                                    -- tokens. In an array, so that what is asked of it costs nothing where there is none of it.
                                    arrayFilter(
                                        told -> notEmpty(told),
                                        arrayMap(
                                            said -> mapFilter(
                                                (key, value) -> key IN (${dialects.told_keys}) OR positionCaseInsensitive(key, 'token') > 0,
                                                said
                                            ),
                                            if(is_own, [], [said])
                                        )
                                    ) AS told_once
                                FROM otel_traces
                            )
                        )
                    )
                )
            )
        )
    )
)
ARRAY JOIN
    answers AS answer,
    range(length(answers)) AS number
