-- What the tables of cost held before they were recomputed, a digest per row; empty but for `tokentrace rollup verify`.
CREATE TABLE IF NOT EXISTS rollup_verified (
    name LowCardinality(String),
    key String CODEC(ZSTD(1)),
    amount Nullable(Decimal(38, 18)),
    digest FixedString(16)
)
ENGINE = MergeTree
ORDER BY tuple()
