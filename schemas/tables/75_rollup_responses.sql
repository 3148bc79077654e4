-- One row per response that the batch shares with its readers: the span that owns it, and its usage as last read; scratch.
CREATE TABLE IF NOT EXISTS rollup_responses (
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    usage_source LowCardinality(String),
    tokens Map(LowCardinality(String), UInt64),
    meters Map(LowCardinality(String), Decimal(18, 6)),
    model LowCardinality(String),
    rate_key UInt64,
    reported_cost Nullable(Decimal(38, 18)),
    cost_reporter LowCardinality(String),
    reported_currency LowCardinality(String),
    delivered Map(LowCardinality(String), UInt64) COMMENT 'What of its output the reading handed over, where that was not all.',
    reported Nullable(Decimal(38, 18)) COMMENT 'The same, of a trusted reporter.'
)
ENGINE = Memory
