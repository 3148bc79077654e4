-- One row per pool and hour that the running rollup allocates again; scratch.
CREATE TABLE IF NOT EXISTS rollup_pool_hours (
    tenant LowCardinality(String),
    pool LowCardinality(String),
    hour DateTime
)
ENGINE = Memory
