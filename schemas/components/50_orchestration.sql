-- One row per unit of a call, review or pool: work of the agent around the answer.
-- All of a call in another role than the answer; of an answer, the parts of its prompt that are scaffolding, and the fees of tools.
SELECT
    multiIf(
        role NOT IN ('answer', 'unknown'), quantity,
        segment IN ('tool_definitions', 'history', 'tool_results'), quantity,
        unit IN (
            'tool_use_prompt', 'web_search', 'x_search', 'web_fetch', 'file_search', 'code_execution', 'guardrail_units'
        ), quantity,
        0
    ) AS claimed,
    multiIf(
        role NOT IN ('answer', 'unknown'), role,
        segment = 'tool_definitions', 'tool_schema',
        segment = 'history', 'context_resend',
        segment = 'tool_results' OR unit = 'tool_use_prompt', 'tool_io',
        'tool_fees'
    ) AS sub_component
FROM call_units
