-- One row per settlement period of a commitment that the running rollup works out again; scratch.
CREATE TABLE IF NOT EXISTS rollup_commitment_windows (
    tenant LowCardinality(String),
    commitment LowCardinality(String),
    rank UInt16 COMMENT 'Of several that cover the same, the lowest is used first.',
    since DateTime,
    until DateTime,
    pot_since DateTime COMMENT 'The period that figures are made of: an hour, of minutes.',
    pot_until DateTime,
    settled UInt8,
    fee Int256 COMMENT 'Of this settlement period, in units of 1e-18.',
    quantity Nullable(Int256) COMMENT 'Weighted units, in millionths; NULL: spending.',
    kept Int256 COMMENT 'Of the price of what is covered by spending, in millionths.',
    is_linear UInt8
)
ENGINE = Memory
