-- One row per pool and hour: what the hour cost, how much of it was used, and the idle part that no trace can carry.
CREATE TABLE IF NOT EXISTS capacity_hours (
    tenant LowCardinality(String),
    pool LowCardinality(String),
    hour DateTime,
    charged_seconds UInt32 COMMENT 'Below 3600 in the running hour, which is charged up to the latest span.',
    busy_seconds Decimal(18, 9),
    weight Int256 COMMENT 'Weighted tokens, in millionths.',
    cost Decimal(38, 18),
    used Decimal(38, 18),
    idle Decimal(38, 18),
    unallocated Decimal(38, 18) COMMENT 'Idle cost that no call carries, as of an hour without traffic: lines of no trace in `capacity_lines`.',
    idle_by_team Map(String, Decimal(38, 18)) COMMENT 'Idle cost by the team that has reserved it, where teams have.',
    utilisation Float64,
    kappa_too_low UInt8 COMMENT 'More was served than the stated capacity allows.',
    rating_run LowCardinality(String),
    version UInt64,
    is_deleted UInt8
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (tenant, pool, hour)
