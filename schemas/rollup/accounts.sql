-- One row per span of ours, in whatever trace, that names a response which others tell of in the batch.
INSERT INTO rollup_accounts
WITH
    named AS (
        SELECT DISTINCT
            tenant,
            response_id
        FROM rollup_spans
        WHERE dialect = 'gen_ai'
            AND scope = 'call'
            AND length(response_id) >= 16
    )
SELECT
    tenant,
    response_id,
    started_at,
    ended_at,
    arraySum(mapValues(mapFilter((bucket, count) -> NOT startsWith(bucket, 'output_'), tokens))),
    arraySum(mapValues(mapFilter((bucket, count) -> startsWith(bucket, 'output_'), tokens)))
FROM llm_calls FINAL
WHERE (tenant, trace_id) IN (
    SELECT
        tenant,
        arrayJoin(traces)
    FROM retellings
    WHERE is_foreign = 0
        AND (tenant, response_id) IN (SELECT tenant, response_id FROM named)
)
    AND (tenant, response_id) IN (SELECT tenant, response_id FROM named)
    AND dialect = 'tokentrace'
    AND scope != ''
    AND part = 0
