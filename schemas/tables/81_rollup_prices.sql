-- One row per price list, cell and unit that the batch may need; scratch.
CREATE TABLE IF NOT EXISTS rollup_prices (
    rate UInt32,
    cell UInt16,
    unit LowCardinality(String),
    price Decimal(38, 18),
    list_price Decimal(38, 18),
    per UInt32,
    is_own UInt8
)
ENGINE = Memory
