-- One row per call of the batch and span around it that is a call too or has a role, and what the two have in common; scratch.
CREATE TABLE IF NOT EXISTS rollup_ancestry (
    number UInt32,
    ancestor UInt32,
    distance UInt16,
    is_same_class UInt8,
    is_call_in_call UInt8,
    may_be_same UInt8 COMMENT 'No two different response ids speak against it.',
    is_same_usage UInt8,
    dialect LowCardinality(String),
    outer_dialect LowCardinality(String),
    outer_scope LowCardinality(String),
    outer_role LowCardinality(String)
)
ENGINE = Memory
