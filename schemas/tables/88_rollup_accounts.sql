-- One row per span of ours, in whatever trace, that names a response which others tell of in the batch; scratch.
CREATE TABLE IF NOT EXISTS rollup_accounts (
    tenant LowCardinality(String),
    response_id String,
    started_at DateTime64(9),
    ended_at DateTime64(9),
    input_tokens UInt64,
    output_tokens UInt64
)
ENGINE = Memory
