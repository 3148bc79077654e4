-- Pools of capacity and fixed costs that several tenants pay, by contract share.
ALTER TABLE capacity_pools
    ADD COLUMN IF NOT EXISTS shares Array(UInt32) COMMENT 'Contract shares of all tenants that pay the pool; empty: this one pays all of it.' AFTER service,
    ADD COLUMN IF NOT EXISTS share UInt32 DEFAULT 1 COMMENT 'Which of them is that of the tenant, from 1 on.' AFTER shares
