-- One row per call of the batch whose work may have been in vain: why it is suspected; scratch.
CREATE TABLE IF NOT EXISTS rollup_suspects (
    number UInt32,
    suspected Array(LowCardinality(String)),
    repeats UInt16 COMMENT 'How many times the trace made this call, one after the other.'
)
ENGINE = Memory
