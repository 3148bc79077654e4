-- One row per call or review of a closed trace that has been rated: what is known of it without its span; scratch.
CREATE TABLE IF NOT EXISTS rollup_rated (
    tenant LowCardinality(String),
    trace_id String,
    span_id String,
    kind LowCardinality(String),
    bearing UInt8,
    started_at DateTime64(9),
    ended_at DateTime64(9),
    input_tokens UInt64,
    output_tokens UInt64
)
ENGINE = Memory
