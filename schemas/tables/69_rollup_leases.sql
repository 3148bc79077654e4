-- One row per turn of a claim to run the rollup: the only claim that is alive runs it, and none outlives its process long.
CREATE TABLE IF NOT EXISTS rollup_leases (
    tenant LowCardinality(String) DEFAULT 'default',
    claim String COMMENT 'The process, and what it calls this run.',
    turn UInt32 COMMENT 'The last one says how long the claim lives.',
    until DateTime64(6) COMMENT 'By the clock of the server.'
)
ENGINE = ReplacingMergeTree(turn)
ORDER BY (tenant, claim)
TTL toDateTime(until) + INTERVAL 1 HOUR
