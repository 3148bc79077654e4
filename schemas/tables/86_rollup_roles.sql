-- One row per call of the batch whose role is inferred: the role, and the rule that decided it; scratch.
CREATE TABLE IF NOT EXISTS rollup_roles (
    number UInt32,
    role LowCardinality(String),
    role_source LowCardinality(String)
)
ENGINE = Memory
