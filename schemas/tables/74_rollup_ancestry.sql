-- One row per call of the batch and span around it that is a call too or has a role; scratch.
CREATE TABLE IF NOT EXISTS rollup_ancestry (
    number UInt32,
    ancestor UInt32,
    distance UInt16
)
ENGINE = Memory
