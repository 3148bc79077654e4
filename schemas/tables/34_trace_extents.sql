-- One row per trace: from when to when its spans have ever been said to last, and when the first of them came. A span that is sent again with another start
-- leaves what was made of the first to be found, which the span itself does not tell any more.
CREATE TABLE IF NOT EXISTS trace_extents (
    tenant LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    since SimpleAggregateFunction(min, DateTime64(9)),
    until SimpleAggregateFunction(max, DateTime64(9)),
    received SimpleAggregateFunction(min, DateTime64(6)) DEFAULT since
)
ENGINE = AggregatingMergeTree
ORDER BY (tenant, trace_id)
SETTINGS
    non_replicated_deduplication_window = 1000,
    default_compression_codec = 'ZSTD(1)'
