-- One row per span of the batch whose parent is not there, but one of ours that is around it; scratch.
CREATE TABLE IF NOT EXISTS rollup_bridges (
    number UInt32,
    parent UInt32 COMMENT 'Number of our span around it.'
)
ENGINE = Memory
