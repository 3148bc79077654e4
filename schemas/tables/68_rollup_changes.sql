-- One row per sum of an hour and side: what the traces of the batch gave to it before the running rollup, taken away, and what
-- they give to it now; scratch.
CREATE TABLE IF NOT EXISTS rollup_changes (
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
    amount Decimal(38, 18),
    allocated Decimal(38, 18),
    estimated Decimal(38, 18),
    list_cost Decimal(38, 18),
    contracted_cost Decimal(38, 18),
    tokens Decimal(38, 6),
    lines Int64,
    amounts Int64 COMMENT 'Of the lines, those that have an amount.',
    list_costs Int64,
    contracted_costs Int64
)
ENGINE = Memory
