-- One row per rating run, capacity pool of the price book, and tenant that has a share of it: what an hour of the whole
-- pool costs, and how its use is weighed; and per fixed cost, which is a pool that nobody uses.
CREATE TABLE IF NOT EXISTS capacity_pools (
    tenant LowCardinality(String),
    rating_run LowCardinality(String),
    pool LowCardinality(String),
    hourly_cost Decimal(38, 18),
    weight_input UInt64 COMMENT 'Weight of an input token, in millionths.',
    weight_cached UInt64,
    weight_output UInt64,
    capacity Nullable(UInt64) COMMENT 'Weighted tokens per second at saturation, in millionths; NULL: charged by busy time.',
    valid_from Nullable(DateTime),
    valid_to Nullable(DateTime),
    kilowatts Nullable(Decimal(38, 18)) COMMENT 'Power as the price book states it, with cooling and losses; NULL: it does not.',
    grid_g_per_kwh Nullable(Decimal(38, 18)) COMMENT 'Grams of CO2 equivalent per kilowatt-hour; NULL: nobody says.',
    costs Array(Tuple(DateTime, Decimal(38, 18))) COMMENT 'From when on an hour costs what, where that changes with a rate of exchange; empty: always hourly_cost. Of a fixed cost: what is charged for the time until the next.',
    kind LowCardinality(String) COMMENT 'fixed: what is paid whoever calls; empty: capacity.',
    share_by LowCardinality(String) COMMENT 'How a fixed cost is shared among the calls of an hour: calls or tokens; empty: it is not.',
    team String DEFAULT '*' COMMENT 'Whose fixed cost it is: a glob, as the next.',
    service String DEFAULT '*',
    shares Array(UInt32) COMMENT 'Contract shares of all tenants that pay the pool; empty: this one pays all of it.',
    share UInt32 DEFAULT 1 COMMENT 'Which of them is that of the tenant, from 1 on.',
    idle_policy LowCardinality(String) DEFAULT 'weighted' COMMENT 'Who carries what stood idle: the calls of the hour (weighted), nobody (none), or teams by what they reserved (reserved).',
    reserved Map(String, UInt32) COMMENT 'What of it teams have reserved, in shares of their sum.'
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rating_run, pool)
