-- One row per hour whose figures the running rollup has changed; scratch.
CREATE TABLE IF NOT EXISTS rollup_hours (
    tenant LowCardinality(String),
    hour DateTime
)
ENGINE = Memory
