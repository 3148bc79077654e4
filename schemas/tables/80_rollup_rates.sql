-- One row per tenant, kind of call in the batch and start of validity: its price list, its pool and its commitments; scratch.
CREATE TABLE IF NOT EXISTS rollup_rates (
    rate UInt32,
    tenant LowCardinality(String),
    rate_key UInt64,
    valid_from DateTime64(9),
    units Array(LowCardinality(String)),
    is_own Array(UInt8),
    per Array(UInt32),
    tiers Array(UInt64),
    times Array(UInt32),
    prices Array(Array(Decimal(38, 18))),
    list_prices Array(Array(Decimal(38, 18))),
    pool LowCardinality(String),
    pool_from DateTime,
    pool_to DateTime,
    commitments Array(Tuple(id String, is_spend UInt8, units Array(String), valid_from DateTime, valid_to DateTime))
)
ENGINE = Memory
