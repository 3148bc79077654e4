-- One row per human review, by reviewer: whose attention, how long, in which trace.
CREATE TABLE IF NOT EXISTS reviews (
    tenant LowCardinality(String),
    reviewer String CODEC(ZSTD(1)),
    ended_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    started_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    decision LowCardinality(String),
    reviewer_role LowCardinality(String),
    seconds Nullable(UInt32) COMMENT 'Whole seconds of attention; NULL where nobody measured them.',
    wait_seconds Nullable(UInt32),
    ingested_at DateTime64(6)
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (tenant, reviewer, ended_at, trace_id, span_id)
SETTINGS
    non_replicated_deduplication_window = 1000
