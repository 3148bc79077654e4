-- One row per call, part of a call, or review of the batch that used anything: its lines and their sums; scratch.
CREATE TABLE IF NOT EXISTS rollup_lines (
    number UInt32,
    part UInt16,
    waste LowCardinality(String),
    pool LowCardinality(String),
    commitments Array(LowCardinality(String)),
    reported Nullable(Decimal(38, 18)) COMMENT 'What a trusted provider said it cost; the row without it replaces this one.',
    lines Array(Tuple(
        place UInt16,
        rank UInt8,
        kind LowCardinality(String),
        unit LowCardinality(String),
        segment LowCardinality(String),
        component LowCardinality(String),
        sub_component LowCardinality(String),
        quantity Decimal(18, 6),
        list_price Nullable(Decimal(38, 18)),
        price Nullable(Decimal(38, 18)),
        per UInt32,
        amount Nullable(Decimal(38, 18)),
        status LowCardinality(String)
    )),
    ${component_columns},
    list_cost Decimal(38, 18),
    contracted_cost Decimal(38, 18),
    tokens_covered UInt64,
    tokens_total UInt64,
    rates_covered UInt32,
    rates_total UInt32,
    unpriced UInt32
)
ENGINE = Memory
