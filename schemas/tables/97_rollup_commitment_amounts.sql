-- One row per line, commitment and kind: what the commitment makes of the line; scratch.
CREATE TABLE IF NOT EXISTS rollup_commitment_amounts (
    line UInt64,
    tenant LowCardinality(String),
    commitment LowCardinality(String),
    pot_since DateTime,
    kind LowCardinality(String) COMMENT 'commit_used or commit_overflow',
    share Int256 COMMENT 'Of the line, in units of 1e-27.',
    amount Nullable(Int256) COMMENT 'In units of 1e-18; NULL: no price is known.'
)
ENGINE = Memory
