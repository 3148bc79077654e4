-- Who tells of a span, and which traces name the same response: of all calls that are there.
ALTER TABLE llm_calls
    ADD COLUMN IF NOT EXISTS library LowCardinality(String) COMMENT 'Who tells of it: the instrumentation scope.' AFTER service;
CREATE TABLE IF NOT EXISTS retellings (
    tenant LowCardinality(String),
    is_foreign UInt8 COMMENT 'Another instrumentation tells of it.',
    response_id String CODEC(ZSTD(1)),
    traces SimpleAggregateFunction(groupUniqArrayArray, Array(String))
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, is_foreign, response_id)
SETTINGS
    index_granularity = 1024,
    non_replicated_deduplication_window = 1000;
INSERT INTO retellings
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
    AND length(response_id) >= 16
GROUP BY
    tenant,
    is_foreign,
    response_id
