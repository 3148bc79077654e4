-- One row per review of a session or of several requests, and trace that it ever was of; and one of no trace.
CREATE TABLE IF NOT EXISTS reviewed (
    tenant LowCardinality(String),
    trace_id String CODEC(ZSTD(1)) COMMENT 'A request that was reviewed; empty: the session.',
    review_trace_id String CODEC(ZSTD(1)) COMMENT 'The trace that the review is in.',
    review_span_id String CODEC(ZSTD(1)),
    ended_at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    kind LowCardinality(String),
    session String CODEC(ZSTD(1)) COMMENT 'Where that was reviewed as a whole.',
    ingested_at DateTime64(6)
)
ENGINE = ReplacingMergeTree(ingested_at)
ORDER BY (tenant, trace_id, review_trace_id, review_span_id)
SETTINGS
    non_replicated_deduplication_window = 1000
