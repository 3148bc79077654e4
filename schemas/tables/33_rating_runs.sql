-- One row per rating run: one evaluation of all prices, named by the hash of catalogue and price book.
CREATE TABLE IF NOT EXISTS rating_runs (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    catalogue String,
    book_sha String,
    currency LowCardinality(String),
    book String COMMENT 'The price book as it was read.',
    loaded_at DateTime64(6) DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(loaded_at)
ORDER BY (tenant, rating_run)
