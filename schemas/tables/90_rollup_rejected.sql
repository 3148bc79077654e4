-- One row per call of the batch whose output was rejected; scratch.
CREATE TABLE IF NOT EXISTS rollup_rejected (
    number UInt32
)
ENGINE = Memory
