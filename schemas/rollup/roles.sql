-- One row per call of the batch that names no role: the role, and the rule that says so. The first rule that fits decides.
-- Only what is sound is a turn of a loop: a call that failed changes no other's role.
INSERT INTO rollup_roles
WITH
    generating AS (
        SELECT
            trace AS of_trace,
            max(started_at) AS last_main
        FROM rollup_places
        WHERE kind = 'call'
            AND is_main
            AND scope_hint NOT IN ('verify', 'guardrail', 'memory', 'compact')
        GROUP BY trace
    ),
    -- Of all that happens directly inside of one agent, workflow, tool or trace.
    turns AS (
        SELECT
            scope AS of_scope,
            started_at AS begun_at,
            max(reads_results) AS has_results,
            max(tells_prompt AND has_history AND NOT reads_results) AS goes_on
        FROM rollup_places
        WHERE is_main
        GROUP BY
            scope,
            started_at
    ),
    tools AS (
        SELECT
            scope AS of_scope,
            started_at AS begun_at,
            max(hint = 'delegate') AS is_handoff
        FROM rollup_places
        WHERE kind = 'tool'
        GROUP BY
            scope,
            started_at
    ),
    agents AS (
        SELECT
            scope AS of_scope,
            max(started_at) AS last_agent
        FROM rollup_places
        WHERE kind = 'agent'
        GROUP BY scope
    ),
    last_of_scope AS (
        SELECT
            scope,
            max((started_at, number)) AS last
        FROM rollup_places
        WHERE is_main
            OR (kind IN ('agent', 'workflow') AND scope_activity IN ('agent', 'workflow'))
        GROUP BY scope
    ),
    -- An agent whose result something further inside of the same agent or workflow may read; a tool, always.
    subordinate AS (
        SELECT place.number AS number
        FROM rollup_places AS place
        INNER JOIN last_of_scope ON last_of_scope.scope = place.scope
        WHERE place.kind IN ('agent', 'workflow')
            AND place.scope_activity IN ('agent', 'workflow')
            AND last_of_scope.last.1 >= place.ended_at
            AND last_of_scope.last.2 != place.number
        UNION ALL
        SELECT number
        FROM rollup_places
        WHERE kind = 'tool'
    ),
    serving AS (
        SELECT DISTINCT number
        FROM (
            SELECT
                number,
                arrayJoin(path) AS around
            FROM rollup_places
            WHERE kind = 'call'
        )
        WHERE around IN (SELECT number FROM subordinate)
    ),
    seen AS (
        SELECT
            place.*,
            place.number IN (SELECT number FROM serving) AS is_serving,
            generating.last_main AS last_start,
            agents.last_agent >= place.ended_at AS precedes_agent,
            next_turn.begun_at AS next_start,
            next_turn.of_scope != 0 AS has_next,
            next_turn.has_results AS next_reads_results,
            next_turn.goes_on AS next_goes_on,
            next_tool.of_scope != 0 AND (NOT has_next OR next_tool.begun_at <= next_start) AS has_tool,
            has_tool AND next_tool.is_handoff AS hands_over
        FROM rollup_places AS place
        LEFT ANY JOIN generating ON generating.of_trace = place.trace
        LEFT ANY JOIN agents ON agents.of_scope = place.scope
        ASOF LEFT JOIN turns AS next_turn ON next_turn.of_scope = place.scope AND next_turn.begun_at >= place.ended_at
        ASOF LEFT JOIN tools AS next_tool ON next_tool.of_scope = place.scope AND next_tool.begun_at >= place.started_at
        WHERE place.kind = 'call'
    ),
    -- Where nobody told of the prompt: what comes next after a tool reads what it gave.
    fed AS (
        SELECT DISTINCT
            scope,
            next_start
        FROM seen
        WHERE has_next
            AND has_tool
    )
SELECT
    number,
    decision.1,
    decision.2
FROM (
    SELECT
        number,
        multiIf(
            own_hint = 'retrieve', (if(last_start > toDateTime64(0, 9), 'retrieve', 'answer'), 'inferred:operation'),
            own_hint != '', (own_hint, 'inferred:operation'),
            hint != '' AND hint_source = 'framework', (hint, 'framework'),
            -- What leads nowhere is the answer, whatever it is called; but checks and notes come after it.
            hint IN ('answer', 'verify', 'guardrail', 'memory') OR (hint != '' AND last_start >= ended_at), (hint, 'inferred:step'),
            hands_over AND (calls_tools OR (has_next AND NOT tells_calls)), ('delegate', 'inferred:handoff'),
            calls_tools AND (has_tool OR next_reads_results), ('tool_select', 'inferred:tool_calls'),
            has_tool AND has_next AND (scope_activity = 'agent' OR NOT tells_calls), ('tool_select', 'inferred:tool_span'),
            scope_activity = 'agent' AND (scope_hint IN ('verify', 'guardrail', 'memory') OR (scope_hint NOT IN ('', 'answer') AND last_start >= ended_at)),
            (scope_hint, 'inferred:agent'),
            scope_activity = 'tool', ('tool_result', 'inferred:tool'),
            calls_tools AND scope_failed, ('unknown', ''),
            -- Nobody reads the call of a tool: it is the form of the answer.
            calls_tools, (if(is_serving, 'delegate', 'answer'), 'inferred:structured'),
            has_next AND next_goes_on AND NOT next_reads_results, (if(is_serving, 'delegate', 'answer'), 'inferred:turn'),
            has_next AND (reads_results OR (NOT tells_prompt AND (scope, started_at) IN (SELECT scope, next_start FROM fed))),
            ('tool_result', 'inferred:tool_results'),
            NOT has_next AND NOT precedes_agent, (if(is_serving, 'delegate', 'answer'), 'inferred:last_call'),
            ('unknown', '')
        ) AS decision
    FROM seen
    WHERE told = ''
)
