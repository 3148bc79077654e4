-- One row per commitment and period, hours for what settles by the minute: what was promised, how much of it was used.
CREATE TABLE IF NOT EXISTS commitment_periods (
    tenant LowCardinality(String),
    commitment LowCardinality(String),
    since DateTime,
    until DateTime,
    kind LowCardinality(String) COMMENT 'usage or spend',
    settled UInt8 COMMENT 'The period is over by the spans that have come: what is unused is lost.',
    fee Decimal(38, 18) COMMENT 'What is owed for the period, or spending that was promised.',
    quantity Decimal(38, 6) COMMENT 'Weighted units, of capacity, or money, of spending, that were promised; so for the next two.',
    covered Decimal(38, 6) COMMENT 'What of it was used.',
    beyond Decimal(38, 6) COMMENT 'What would have needed more of it.',
    used Decimal(38, 18) COMMENT 'The part of the fee that is in the components of calls.',
    unused Decimal(38, 18) COMMENT 'Booked as infrastructure once the period is settled; 0 before.',
    at_risk Decimal(38, 18) COMMENT 'What would be unused if no more came; in no total, and 0 once the period is settled.',
    overflow Decimal(38, 18) COMMENT 'The cost of what was used beyond it and that no other commitment covers.',
    covered_cost Decimal(38, 18) COMMENT 'What it covered, at the prices that hold without it.',
    utilisation Nullable(Float64),
    break_even Nullable(Float64) COMMENT 'The utilisation from which on it costs less than no commitment, by what it covered.',
    unpriced UInt64 COMMENT 'Lines that it covered of which no price is known: they are not in covered_cost.',
    rating_run LowCardinality(String),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (tenant, commitment, since)
