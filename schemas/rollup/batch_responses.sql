-- One row per trace that shares a response with the batch, as the one that asked for it or one that read it again.
INSERT INTO rollup_batch
WITH
    mentioned AS (
        SELECT
            tenant,
            provider,
            response_id,
            scope
        FROM llm_calls
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND scope IN ('call', 'retrieve')
            AND response_id != ''
    ),
    shared AS (
        SELECT
            tenant,
            response_id
        FROM mentioned
        WHERE scope = 'retrieve'
            OR (tenant, provider, response_id) IN (SELECT tenant, provider, response_id FROM responses WHERE is_retrieved = 1)
    )
SELECT DISTINCT
    tenant,
    arrayJoin(traces) AS trace_id
FROM retellings
WHERE is_foreign = 0
    AND (tenant, response_id) IN (SELECT tenant, response_id FROM shared)
