-- One row per workflow that says what it works on.
CREATE TABLE IF NOT EXISTS work_unit_runs (
    tenant LowCardinality(String),
    work_unit String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    started_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    ingested_at DateTime64(6)
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (tenant, work_unit, trace_id, span_id)
SETTINGS
    non_replicated_deduplication_window = 1000
