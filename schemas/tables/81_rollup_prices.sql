-- One row per price list, cell and unit that the batch may need; scratch.
CREATE TABLE IF NOT EXISTS rollup_prices (
    place UInt64 COMMENT 'Stands for all three: the price list times 2^32, the cell times 2^16, the number of the unit.',
    unit LowCardinality(String),
    unit_number UInt16,
    price Decimal(38, 18),
    list_price Decimal(38, 18),
    per UInt32,
    is_own UInt8
)
ENGINE = Memory
