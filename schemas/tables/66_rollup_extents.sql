-- One row per trace of the batch, where the batch is small: from when to when its spans have ever been said to last, and the
-- hours between, none where they are too many; scratch.
CREATE TABLE IF NOT EXISTS rollup_extents (
    tenant LowCardinality(String),
    trace_id String,
    since DateTime64(9),
    until DateTime64(9),
    hours Array(DateTime)
)
ENGINE = Memory
