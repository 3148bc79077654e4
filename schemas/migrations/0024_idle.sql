-- Who carries what stood idle of a pool of capacity.
ALTER TABLE capacity_pools
    ADD COLUMN IF NOT EXISTS idle_policy LowCardinality(String) DEFAULT 'weighted' COMMENT 'Who carries what stood idle: the calls of the hour (weighted), nobody (none), or teams by what they reserved (reserved).' AFTER share,
    ADD COLUMN IF NOT EXISTS reserved Map(String, UInt32) COMMENT 'What of it teams have reserved, in shares of their sum.' AFTER idle_policy;
ALTER TABLE capacity_hours
    ADD COLUMN IF NOT EXISTS idle_by_team Map(String, Decimal(38, 18)) COMMENT 'Idle cost by the team that has reserved it, where teams have.' AFTER unallocated
