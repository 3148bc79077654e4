-- One row per call and span around it that is a call too or has a role.
-- Traces of our own calls that all name their role need none of this, and are left out.
INSERT INTO rollup_ancestry
WITH RECURSIVE
    edge AS (
        SELECT
            number,
            parent
        FROM rollup_edges
        WHERE parent != 0
            AND asks
    ),
    walk AS (
        SELECT
            edge.number AS number,
            edge.parent AS ancestor,
            toUInt16(1) AS distance
        FROM edge
        WHERE edge.number IN (SELECT number FROM rollup_spans WHERE scope != '')
        UNION ALL
        SELECT
            walk.number AS number,
            edge.parent AS ancestor,
            toUInt16(walk.distance + 1) AS distance
        FROM walk
        INNER JOIN edge ON edge.number = walk.ancestor
        -- Spans that claim to enclose each other would walk for ever.
        WHERE walk.distance < 256
    )
SELECT
    walk.number,
    walk.ancestor,
    walk.distance,
    -- An agent's totals are those of its generations.
    inner_span.class = if(
        outer_span.scope = 'aggregate'
            AND outer_span.class IN (
                'invoke_agent', 'create_agent', 'execute_tool', 'invoke_workflow', 'workflow', 'agent_step'
            ),
        'generation',
        outer_span.class
    ),
    inner_span.scope = 'call' AND outer_span.scope IN ('call', 'aggregate'),
    inner_span.response_id = '' OR outer_span.response_id = '' OR inner_span.response_id = outer_span.response_id,
    inner_span.input_tokens = outer_span.input_tokens AND inner_span.output_tokens = outer_span.output_tokens,
    inner_span.dialect,
    outer_span.dialect,
    outer_span.scope,
    outer_span.role
FROM walk
INNER JOIN rollup_spans AS inner_span ON inner_span.number = walk.number
INNER JOIN rollup_spans AS outer_span ON outer_span.number = walk.ancestor
WHERE outer_span.scope != ''
    OR outer_span.role != ''
