-- One row per call or review of the batch: whether it bears cost, its role, and the usage or time that others decide; scratch.
CREATE TABLE IF NOT EXISTS rollup_bearing (
    number UInt32,
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    bearing UInt8,
    borne_by LowCardinality(String),
    role LowCardinality(String),
    role_source LowCardinality(String),
    unexplained_tokens Nullable(Int64),
    seconds Nullable(UInt32) COMMENT 'Attention of a review, without what the same person gave another at the same time.',
    read_source LowCardinality(String) COMMENT 'Origin of a usage that was read later; empty: it was not.',
    read_tokens Map(LowCardinality(String), UInt64),
    read_meters Map(LowCardinality(String), Decimal(18, 6)),
    read_model LowCardinality(String),
    read_rate_key UInt64,
    read_cost Nullable(Decimal(38, 18)),
    read_reporter LowCardinality(String),
    read_currency LowCardinality(String),
    read_delivered Map(LowCardinality(String), UInt64),
    reported Nullable(Decimal(38, 18)) COMMENT 'What a trusted reporter said the call cost, then or later.'
)
ENGINE = Memory
