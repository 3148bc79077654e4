-- One row per trace and insert that added spans to it: the work list of the rollup, which takes off what it does (on a cluster, deletes it).
CREATE TABLE IF NOT EXISTS touched_traces (
    tenant LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    touch UInt64 DEFAULT generateSnowflakeID() CODEC(ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (tenant, trace_id)
SETTINGS
    non_replicated_deduplication_window = 1000,
    default_compression_codec = 'ZSTD(1)'
