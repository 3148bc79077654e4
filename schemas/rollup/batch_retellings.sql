-- One row per trace in which others tell of a response that a call of ours in the batch names.
INSERT INTO rollup_batch
SELECT DISTINCT
    tenant,
    arrayJoin(traces) AS trace_id
FROM retellings
WHERE is_foreign = 1
    AND (tenant, response_id) IN (
        SELECT
            tenant,
            response_id
        FROM llm_calls
        WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM rollup_batch)
            AND dialect = 'tokentrace'
            AND scope != ''
            AND length(response_id) >= 16
    )
