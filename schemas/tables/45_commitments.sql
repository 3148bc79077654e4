-- One row per rating run and commitment of the price book: what was promised, when it holds, and what takes how much of its capacity.
CREATE TABLE IF NOT EXISTS commitments (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    commitment LowCardinality(String),
    kind LowCardinality(String) COMMENT 'usage or spend',
    weights Map(LowCardinality(String), UInt64) COMMENT 'Bucket or meter: units of capacity that one of it takes, in millionths. Of spending, empty: whatever has a price.',
    valid_from DateTime,
    valid_to DateTime,
    provider LowCardinality(String) COMMENT 'A glob, as for the next.',
    model String,
    price Decimal(38, 18) COMMENT 'Of each `per`: the fee of capacity, or the amount of spending.',
    per LowCardinality(String) COMMENT 'minute, hour, day, month or term; so for `settle`.',
    settle LowCardinality(String),
    quantity Nullable(Decimal(38, 6)) COMMENT 'Weighted units of one settlement period; NULL: spending.',
    discount Decimal(9, 6),
    scheme LowCardinality(String) COMMENT 'take_or_pay or linear',
    pricing_currency LowCardinality(String) DEFAULT 'USD' COMMENT 'In which the price book states the price.',
    pricing_price Decimal(38, 18) DEFAULT price COMMENT 'As it is stated; `price` is that at the rate of the beginning.'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, commitment)
