-- One row per closed month, hour, attribution, provider, model, tier, unit, price, role and component: what was booked.
-- Where the hour is of an earlier month it is a correction; what it takes back is negative.
CREATE TABLE IF NOT EXISTS booked_lines (
    tenant LowCardinality(String),
    booking_month Date COMMENT 'First day (UTC) of the month in whose figures it is.',
    hour DateTime COMMENT 'In which it was charged.',
    kind LowCardinality(String) COMMENT 'token, meter, review, used, idle; unknown: a call whose usage nobody knows in full.',
    service LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    tier LowCardinality(String),
    role LowCardinality(String),
    team LowCardinality(String),
    feature LowCardinality(String),
    customer String CODEC(ZSTD(1)),
    project LowCardinality(String),
    cost_center LowCardinality(String),
    environment LowCardinality(String),
    pool LowCardinality(String),
    component LowCardinality(String),
    sub_component LowCardinality(String),
    unit LowCardinality(String),
    per UInt32,
    list_price Nullable(Decimal(38, 18)),
    price Nullable(Decimal(38, 18)),
    status LowCardinality(String),
    is_estimated UInt8,
    currency LowCardinality(String),
    rating_run LowCardinality(String),
    quantity Decimal(38, 6),
    amount Decimal(38, 18) COMMENT '0 where no price is known.',
    listed Decimal(38, 18) COMMENT 'At list prices.',
    contracted Decimal(38, 18) COMMENT 'At those of the price book.',
    lines Int64 COMMENT 'Lines of cost that it sums up.',
    unpriced Int64 COMMENT 'Those without an amount.',
    version UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(booking_month)
ORDER BY (tenant, booking_month, hour, provider, model, unit, team, component)
