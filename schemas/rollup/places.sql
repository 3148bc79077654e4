-- One row per bearing call, agent, workflow and tool of a trace of the batch in which a role is to be inferred, or something failed: where it stands.
INSERT INTO rollup_places
WITH RECURSIVE
    wanted AS (
        SELECT rollup_edges.trace AS trace
        FROM rollup_edges
        LEFT ANY JOIN rollup_decided AS decided ON decided.number = rollup_edges.number
        GROUP BY rollup_edges.trace
        HAVING (countIf(decided.counts AND decided.role = '') > 0 AND countIf(decided.counts) > 1)
            OR countIf(rollup_edges.failed AND rollup_edges.activity != '') > 0
    ),
    -- From the roots down, so that each span is met once, and those that claim to enclose each other never.
    walk AS (
        SELECT
            number,
            trace,
            toUInt16(0) AS depth,
            activity,
            failed,
            hint,
            hint_source,
            activity IN ('agent', 'workflow', 'tool') AS begins_scope,
            trace AS scope,
            CAST('', 'LowCardinality(String)') AS scope_activity,
            toUInt8(0) AS scope_failed,
            CAST('', 'LowCardinality(String)') AS scope_hint,
            CAST('', 'LowCardinality(String)') AS around,
            CAST('', 'LowCardinality(String)') AS around_source,
            CAST([], 'Array(UInt32)') AS path
        FROM rollup_edges
        WHERE parent = 0
            AND trace IN (SELECT trace FROM wanted)
        UNION ALL
        SELECT
            below.number,
            below.trace,
            toUInt16(walk.depth + 1),
            below.activity,
            below.failed,
            below.hint,
            below.hint_source,
            below.activity IN ('agent', 'workflow', 'tool'),
            if(walk.begins_scope, toInt64(walk.number), walk.scope),
            if(walk.begins_scope, walk.activity, walk.scope_activity),
            if(walk.begins_scope, walk.failed, walk.scope_failed),
            if(walk.begins_scope, walk.hint, walk.scope_hint),
            multiIf(walk.begins_scope, '', walk.hint != '', walk.hint, walk.around),
            multiIf(walk.begins_scope, '', walk.hint != '', walk.hint_source, walk.around_source),
            if(walk.activity = '', walk.path, arraySlice(arrayPushBack(walk.path, walk.number), -64))
        FROM rollup_edges AS below
        INNER JOIN walk ON walk.number = below.parent
        WHERE walk.depth < 512
    )
SELECT
    walk.number,
    walk.trace,
    multiIf(decided.borne_by = '' AND span.scope != '', if(span.broke, 'broken', 'call'), walk.activity) AS kind,
    span.started_at,
    span.ended_at,
    span.span_id,
    walk.scope,
    walk.scope_activity,
    walk.scope_failed,
    walk.scope_hint,
    walk.path,
    if(kind = 'tool', walk.hint, walk.around),
    walk.around_source,
    decided.role,
    multiIf(
        kind NOT IN ('call', 'broken'), '',
        span.class IN ('embedding', 'embed', 'rerank', 'retrieval'), 'retrieve',
        span.class IN ('apply_guardrail', 'guardrail', 'moderation', 'moderations')
            OR match(lower(span.label), 'moderation|llama-?guard|shieldgemma|safeguard|nemoguard|granite-guardian'), 'guardrail',
        span.class IN ('compaction', 'compact'), 'compact',
        span.class IN ('generation', 'classify', 'invoke_agent'), '',
        'answer'
    ) AS own_hint,
    kind = 'call'
        AND span.class IN ('generation', 'invoke_agent')
        AND own_hint = ''
        AND walk.around NOT IN ('verify', 'guardrail', 'memory', 'compact')
        AND decided.role IN ('', 'answer', 'tool_select', 'tool_result', 'unknown'),
    span.calls_tools,
    span.tells_calls,
    span.reads_results,
    span.tells_prompt,
    span.has_history
FROM walk
INNER JOIN rollup_spans AS span ON span.number = walk.number
LEFT ANY JOIN rollup_decided AS decided ON decided.number = walk.number
WHERE kind IN ('call', 'broken', 'agent', 'workflow', 'tool')
