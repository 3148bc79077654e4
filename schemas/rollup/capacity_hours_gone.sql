-- One row per hour of a pool that was booked before the pool was first used, as it has turned out.
INSERT INTO capacity_hours (tenant, pool, hour, rating_run, version, is_deleted)
SELECT
    tenant,
    pool,
    hour,
    rating_run,
    {version:UInt64},
    1
FROM capacity_hours FINAL
WHERE (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
    AND version < {version:UInt64}
