-- One row per row of the tables of cost as they were before `tokentrace rollup verify` recomputed them; else empty.
CREATE TABLE IF NOT EXISTS rollup_verified (
    name LowCardinality(String),
    key String CODEC(ZSTD(1)),
    amount Nullable(Decimal(38, 18)),
    digest FixedString(16)
)
ENGINE = MergeTree
ORDER BY tuple()
