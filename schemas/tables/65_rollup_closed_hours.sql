-- One row per pool and hour that stays allocated as it is, because it or a trace that had a share in it is closed; scratch.
CREATE TABLE IF NOT EXISTS rollup_closed_hours (
    tenant LowCardinality(String),
    pool LowCardinality(String),
    hour DateTime
)
ENGINE = Memory
