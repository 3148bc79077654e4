-- One row per touch that the running rollup is working off; scratch, gone with the process.
CREATE TABLE IF NOT EXISTS rollup_touches (
    tenant LowCardinality(String),
    trace_id String,
    touch UInt64
)
ENGINE = Memory
