-- One row per reported outcome: what a request achieved, perhaps days later.
CREATE TABLE IF NOT EXISTS outcomes (
    tenant LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    reported_at DateTime64(9),
    status LowCardinality(String),
    value Nullable(Decimal(38, 18)),
    currency LowCardinality(String),
    units Nullable(Decimal(38, 18)),
    unit_name LowCardinality(String),
    ingested_at DateTime64(6)
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (tenant, trace_id, span_id)
SETTINGS
    non_replicated_deduplication_window = 1000
