-- One row per fact the rollup remembers between runs: its version, the rating run of the tables.
CREATE TABLE IF NOT EXISTS rollup_state (
    tenant LowCardinality(String),
    name LowCardinality(String),
    value String,
    version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, name)
