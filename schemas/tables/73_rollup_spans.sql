-- One row per span of the batch, reduced to what decides who encloses whom and who bears cost; scratch.
CREATE TABLE IF NOT EXISTS rollup_spans (
    number UInt32 COMMENT 'Stands for the span while the batch runs: joins on it are cheap.',
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    started_at DateTime64(9),
    ended_at DateTime64(9),
    library LowCardinality(String),
    dialect LowCardinality(String),
    scope LowCardinality(String),
    class LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    request_model LowCardinality(String),
    response_id String,
    input_tokens UInt64,
    output_tokens UInt64,
    role LowCardinality(String),
    role_source LowCardinality(String),
    is_empty_failure UInt8 COMMENT 'It failed before it used anything.',
    reported Nullable(Decimal(38, 18)) COMMENT 'What a trusted reporter said it cost.',
    review_kind LowCardinality(String),
    reviewer String
)
ENGINE = Memory
