-- One row per line and commitment: the share of the line that it covers, and what that takes of it; scratch.
CREATE TABLE IF NOT EXISTS rollup_commitment_flows (
    line UInt64,
    tenant LowCardinality(String),
    commitment LowCardinality(String),
    rank UInt16,
    since DateTime COMMENT 'Of the settlement period.',
    pot_since DateTime,
    share Int256 COMMENT 'Of the line, in units of 1e-27.',
    taken Int256 COMMENT 'Weighted units in millionths, or money in units of 1e-18; times the share.',
    offered Int256 COMMENT 'The same of what was left of the line.',
    is_full UInt8
)
ENGINE = Memory
