-- One row per pool and hour to allocate again: those this run has rated calls in, those where these calls had a share so
-- far, those not charged in full, and those not yet booked; all of a pool whose first use may not be one any more.
INSERT INTO rollup_pool_hours
WITH
    pools AS (
        SELECT
            tenant,
            pool,
            share_by,
            valid_from,
            valid_to
        FROM capacity_pools FINAL
        WHERE rating_run = {run:String}
    ),
    -- A call longer than a day is a span nobody closed.
    used AS (
        SELECT DISTINCT
            tenant,
            pool,
            arrayJoin(arrayMap(
                number -> toStartOfHour(started_at) + number * 3600,
                range(toUInt32(greatest(1, 1 + dateDiff(
                    'hour',
                    toStartOfHour(started_at),
                    toStartOfHour(least(ended_at, started_at + INTERVAL 1 DAY))
                ))))
            )) AS hour
        FROM call_costs
        WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
            AND version = {version:UInt64}
            AND pool != ''
        UNION DISTINCT
        SELECT
            calls.tenant,
            pools.pool,
            calls.hour
        FROM (
            SELECT DISTINCT
                tenant,
                hour
            FROM call_costs
            WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
                AND version = {version:UInt64}
        ) AS calls
        INNER JOIN pools ON pools.tenant = calls.tenant
        WHERE pools.share_by != ''
            AND calls.hour >= toStartOfHour(pools.valid_from)
    ),
    -- What a call uses of an hour that nobody pays for, or that has not come yet, is not charged.
    served AS (
        SELECT
            used.tenant AS tenant,
            used.pool AS pool,
            used.hour AS hour
        FROM used
        INNER JOIN pools ON pools.tenant = used.tenant AND pools.pool = used.pool
        WHERE used.hour <= {latest:DateTime64(9)}
            AND (isNull(pools.valid_to) OR used.hour < pools.valid_to)
    ),
    -- A call that no longer bears its cost takes nothing with it, but its share is to be taken back.
    shared AS (
        SELECT DISTINCT
            tenant,
            pool,
            hour
        FROM capacity_lines FINAL
        WHERE kind IN ('used', 'idle', 'fixed')
            AND hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
            AND (tenant, trace_id) IN (
                SELECT
                    tenant,
                    trace_id
                FROM call_costs
                WHERE hour BETWEEN toStartOfHour({since:DateTime64(9)}) AND {until:DateTime64(9)}
                    AND version = {version:UInt64}
            )
    ),
    booked AS (
        SELECT
            tenant,
            pool,
            hour,
            charged_seconds
        FROM capacity_hours FINAL
        WHERE rating_run = {run:String}
            OR (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_closed_hours)
    ),
    paid AS (
        SELECT
            pools.tenant AS tenant,
            pools.pool AS pool,
            ifNull(
                toStartOfHour(pools.valid_from),
                least(if(known.first = 0, seen.first, known.first), if(seen.first = 0, known.first, seen.first))
            ) AS first_hour,
            toStartOfHour(least(
                {latest:DateTime64(9)},
                ifNull(toDateTime64(pools.valid_to, 9) - INTERVAL 1 SECOND, {latest:DateTime64(9)})
            )) AS last_hour
        FROM pools
        LEFT JOIN (SELECT tenant, pool, min(hour) AS first FROM booked GROUP BY tenant, pool) AS known
            ON known.tenant = pools.tenant AND known.pool = pools.pool
        LEFT JOIN (SELECT tenant, pool, min(hour) AS first FROM served GROUP BY tenant, pool) AS seen
            ON seen.tenant = pools.tenant AND seen.pool = pools.pool
    ),
    owed AS (
        SELECT
            tenant,
            pool,
            arrayJoin(arrayMap(number -> first_hour + number * 3600, range(toUInt32(1 + dateDiff('hour', first_hour, last_hour))))) AS hour
        FROM paid
        WHERE first_hour > 0
            AND first_hour <= last_hour
    )
SELECT
    tenant,
    pool,
    hour
FROM (
    SELECT
        tenant,
        pool,
        hour
    FROM served
    UNION DISTINCT
    SELECT
        tenant,
        pool,
        hour
    FROM shared
    UNION DISTINCT
    SELECT
        tenant,
        pool,
        hour
    FROM booked
    WHERE (tenant, pool) IN (
            SELECT
                booked.tenant,
                booked.pool
            FROM booked
            INNER JOIN pools ON pools.tenant = booked.tenant AND pools.pool = booked.pool
            WHERE isNull(pools.valid_from)
            GROUP BY
                booked.tenant,
                booked.pool
            HAVING (booked.tenant, booked.pool, min(booked.hour)) IN (SELECT tenant, pool, hour FROM shared)
        )
    UNION DISTINCT
    SELECT
        tenant,
        pool,
        hour
    FROM owed
    WHERE (tenant, pool, hour) NOT IN (SELECT tenant, pool, hour FROM booked WHERE charged_seconds = 3600)
    UNION DISTINCT
    -- A run that was cut short may have booked an hour, and shared it out to nobody.
    SELECT
        tenant,
        pool,
        hour
    FROM capacity_hours
    WHERE version > {sound:UInt64}
        AND rating_run = {run:String}
)
WHERE hour + INTERVAL 1 HOUR > {horizon:DateTime64(6)}
    AND (tenant, pool, hour) NOT IN (SELECT tenant, pool, hour FROM rollup_closed_hours)
