-- One row per rating run and commitment of the price book: when it holds, and what takes how much of its capacity.
CREATE TABLE IF NOT EXISTS commitments (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    commitment LowCardinality(String),
    kind LowCardinality(String) COMMENT 'usage or spend',
    weights Map(LowCardinality(String), UInt64) COMMENT 'Bucket or meter: units of capacity that one of it takes, in millionths. Of spending, empty: whatever has a price.',
    valid_from DateTime,
    valid_to DateTime
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, commitment)
