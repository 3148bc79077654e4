-- One row per unit without a price of its own and the unit whose price it borrows, in order of preference.
CREATE TABLE IF NOT EXISTS price_fallbacks (
    tenant LowCardinality(String),
    unit LowCardinality(String),
    preference UInt8,
    borrows_from LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, unit, preference)
