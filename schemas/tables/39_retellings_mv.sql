-- One row per response id and insert into `llm_calls`, of calls of ours and of those that others tell of.
CREATE MATERIALIZED VIEW IF NOT EXISTS retellings_mv TO retellings AS
SELECT
    tenant,
    toUInt8(dialect = 'gen_ai') AS is_foreign,
    response_id,
    groupUniqArray(trace_id) AS traces
FROM llm_calls
WHERE
    dialect IN ('tokentrace', 'gen_ai')
    AND scope != ''
    AND part = 0
    -- Local servers draw their ids from a thousand numbers; such an id names nothing.
    AND length(response_id) >= 16
GROUP BY
    tenant,
    is_foreign,
    response_id
