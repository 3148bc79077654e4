-- One row per trace that the running rollup recomputes whole; scratch, may repeat.
CREATE TABLE IF NOT EXISTS rollup_batch (
    tenant LowCardinality(String),
    trace_id String
)
ENGINE = Memory
