-- One row per rating run and capacity pool of the price book: what an hour of it costs, and how its use is weighed.
CREATE TABLE IF NOT EXISTS capacity_pools (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    pool LowCardinality(String),
    hourly_cost Decimal(38, 18),
    weight_input UInt64 COMMENT 'Weight of an input token, in millionths.',
    weight_cached UInt64,
    weight_output UInt64,
    capacity Nullable(UInt64) COMMENT 'Weighted tokens per second at saturation, in millionths; NULL: charged by busy time.',
    valid_from Nullable(DateTime),
    valid_to Nullable(DateTime),
    kilowatts Nullable(Decimal(38, 18)) COMMENT 'Power as the price book states it, with cooling and losses; NULL: it does not.',
    grid_g_per_kwh Nullable(Decimal(38, 18)) COMMENT 'Grams of CO2 equivalent per kilowatt-hour; NULL: nobody says.'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, pool)
