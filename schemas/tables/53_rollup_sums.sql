-- One row per sum of an hour that the running rollup changes, as it is from now on; scratch.
CREATE TABLE IF NOT EXISTS rollup_sums (
    tenant LowCardinality(String),
    hour DateTime,
    team LowCardinality(String),
    feature LowCardinality(String),
    project LowCardinality(String),
    cost_center LowCardinality(String),
    environment LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    role LowCardinality(String),
    component LowCardinality(String),
    sub_component LowCardinality(String),
    status LowCardinality(String),
    currency LowCardinality(String),
    amount Nullable(Decimal(38, 18)),
    allocated Decimal(38, 18),
    estimated Decimal(38, 18),
    list_cost Nullable(Decimal(38, 18)),
    contracted_cost Nullable(Decimal(38, 18)),
    tokens Decimal(38, 6),
    lines Int64,
    is_unclear UInt8 COMMENT 'Only all lines of the hour can tell.'
)
ENGINE = Memory
