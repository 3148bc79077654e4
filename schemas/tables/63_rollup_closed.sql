-- One row per trace of the batch that is closed: it has figures, and spans of it may have expired; scratch.
CREATE TABLE IF NOT EXISTS rollup_closed (
    tenant LowCardinality(String),
    trace_id String
)
ENGINE = Memory
