-- One row per rating run and capacity pool of the price book: what an hour of it costs, and how its use is weighed.
CREATE TABLE IF NOT EXISTS capacity_pools (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    pool LowCardinality(String),
    hourly_cost Decimal(38, 18),
    weight_input Decimal(18, 6),
    weight_cached Decimal(18, 6),
    weight_output Decimal(18, 6),
    capacity Nullable(Decimal(18, 6)) COMMENT 'Weighted tokens per second at saturation; NULL: charged by busy time.',
    valid_from Nullable(DateTime),
    valid_to Nullable(DateTime)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, pool)
