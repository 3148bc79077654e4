-- One row per reason why a call of the batch that others tell of bears no cost; scratch.
CREATE TABLE IF NOT EXISTS rollup_borne (
    number UInt32,
    borne_by LowCardinality(String)
)
ENGINE = Memory
