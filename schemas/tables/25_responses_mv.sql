-- One row per response and insert: the spans that mention it, reduced to what decides who owns it.
CREATE MATERIALIZED VIEW IF NOT EXISTS responses_mv TO responses AS
SELECT
    tenant,
    provider,
    response_id,
    -- The engine compares tuples field by field: submitters come before readers, then the earliest.
    min(CAST(
        (toUInt8(scope = 'retrieve'), started_at, trace_id, span_id),
        'Tuple(reader UInt8, started_at DateTime64(9), trace_id String, span_id String)'
    )) AS owner,
    max(toUInt8(scope = 'retrieve')) AS is_retrieved
FROM llm_calls
WHERE
    dialect = 'tokentrace'
    AND scope IN ('call', 'retrieve')
    AND part = 0
    -- Local servers draw their ids from a thousand numbers; such an id names nothing.
    AND length(response_id) >= 16
GROUP BY
    tenant,
    provider,
    response_id
