-- One row per response id, of calls of ours and of those that others tell of: the traces that name it.
-- Others may tell of a call of ours in a trace of their own.
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
    non_replicated_deduplication_window = 1000,
    default_compression_codec = 'ZSTD(1)'
