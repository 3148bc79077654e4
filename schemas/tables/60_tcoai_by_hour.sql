-- One row per hour (UTC), attribution, provider, model, role, component, sub-component, price status and rating run.
CREATE TABLE IF NOT EXISTS tcoai_by_hour (
    tenant LowCardinality(String),
    hour DateTime,
    team LowCardinality(String),
    feature LowCardinality(String),
    project LowCardinality(String),
    cost_center LowCardinality(String),
    environment LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    role LowCardinality(String),
    component LowCardinality(String),
    sub_component LowCardinality(String),
    status LowCardinality(String),
    currency LowCardinality(String),
    rating_run LowCardinality(String),
    amount Nullable(Decimal(38, 18)) CODEC(GCD, ZSTD(1)) COMMENT 'NULL where no price is known.',
    allocated Decimal(38, 18) COMMENT 'The part of the amount that is a share of capacity, or of a review of several requests.',
    estimated Decimal(38, 18) CODEC(GCD, ZSTD(1)),
    list_cost Nullable(Decimal(38, 18)) CODEC(GCD, ZSTD(1)),
    contracted_cost Nullable(Decimal(38, 18)) CODEC(GCD, ZSTD(1)),
    tokens Decimal(38, 6),
    lines UInt64,
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
PARTITION BY toYYYYMM(hour)
ORDER BY (
    tenant,
    hour,
    rating_run,
    team,
    feature,
    project,
    cost_center,
    environment,
    provider,
    model,
    role,
    component,
    sub_component,
    status,
    currency
)
SETTINGS
    default_compression_codec = 'ZSTD(1)'
