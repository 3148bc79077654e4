-- One row per span of the batch.
INSERT INTO rollup_spans
WITH
    ${worth} AS worth,
    told AS (
        SELECT
            tenant,
            trace_id,
            span_id,
            parent_span_id,
            own_parent_id,
            started_at,
            ended_at,
            library,
            dialect,
            scope,
            class,
            provider,
            model,
            request_model,
            response_id,
            arraySum(mapValues(tokens)) - output_tokens AS input_tokens,
            arraySum((bucket, count) -> if(startsWith(bucket, 'output_'), count, 0), mapKeys(tokens), mapValues(tokens)) AS output_tokens,
            role,
            role_source,
            failed AND empty(tokens) AND empty(meters) AS is_empty_failure,
            -- At the rate of the call; what is said in a currency that nobody knows the worth of is not used.
            if(
                billable != 'false' AND has({trusted:Array(String)}, cost_reporter),
                worth(reported_cost, reported_currency, started_at),
                NULL
            ),
            review_kind,
            reviewer,
            activity,
            multiIf(scope = '' AND activity = '', '', step != '' AND scope = '', step, name),
            failed,
            broke,
            tool_calls > 0
                OR hasAny(finish_reasons, ['tool_calls', 'tool_call', 'tool_use', 'function_call', 'requires_action']) AS is_tool_call,
            is_tool_call OR dialect = 'tokentrace' OR has(finish_reasons, 'end_turn'),
            has(segment_kinds, 'tool_results') AND is_prompt_told,
            -- A provider that ran tools of its own has put their results into the same segment.
            notEmpty(segment_kinds)
                AND tokens['tool_use_prompt'] = 0
                AND NOT hasAny(mapKeys(meters), ['web_search', 'x_search', 'web_fetch', 'file_search', 'code_execution']) AS is_prompt_told,
            has(segment_kinds, 'history'),
            if(
                scope = 'call' AND input_tokens > 0,
                cityHash64(provider, request_model, operation, segment_kinds, segment_tokens, input_tokens),
                0
            ),
            ifNull(repeated_tokens < arraySum(segment_tokens), 0),
            sampling
        FROM llm_calls FINAL
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND part = 0
            -- Of a closed trace only what has come since: what came before may be there, or may have expired.
            AND (
                (tenant, trace_id) NOT IN (SELECT tenant, trace_id FROM rollup_closed)
                OR if(
                    scope != '' OR review_kind != '',
                    (tenant, trace_id, span_id) NOT IN (SELECT tenant, trace_id, span_id FROM rollup_rated),
                    ingested_at >= {horizon:DateTime64(6)}
                )
            )
    )
SELECT
    -- Here and not above, where on a cluster each shard would count for itself.
    rowNumberInAllBlocks() + 1 AS number,
    *
FROM told
