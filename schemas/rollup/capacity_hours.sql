-- One row per tenant, pool and hour to allocate: what it cost the tenant, and how much of that served its calls; nothing of
-- what is paid whoever calls. Of a pool that several pay, each has its share of the cost and of the capacity, whoever used them.
INSERT INTO capacity_hours
WITH
    affected AS (
        SELECT DISTINCT
            tenant,
            pool,
            hour
        FROM rollup_pool_hours
    ),
    -- A pool of which nothing says since when it is there, is paid from its first use on.
    used AS (
        SELECT
            tenant,
            pool,
            min(hour) AS first_hour
        FROM (
            SELECT
                tenant,
                pool,
                hour
            FROM rollup_shares
            UNION ALL
            SELECT
                tenant,
                pool,
                hour
            FROM capacity_hours FINAL
            WHERE (rating_run = {run:String} OR (tenant, pool, hour) IN (SELECT tenant, pool, hour FROM rollup_closed_hours))
                AND (tenant, pool, hour) NOT IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
        )
        GROUP BY
            tenant,
            pool
    ),
    busy AS (
        SELECT
            tenant,
            pool,
            hour,
            sum(greatest(0, until - greatest(since, busy_until))) AS nanoseconds
        FROM (
            SELECT
                tenant,
                pool,
                hour,
                since,
                until,
                max(until) OVER (
                    PARTITION BY tenant, pool, hour
                    ORDER BY since, until
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS busy_until
            FROM (SELECT DISTINCT tenant, pool, hour, since, until FROM rollup_shares)
        )
        GROUP BY
            tenant,
            pool,
            hour
    ),
    weighed AS (
        SELECT
            tenant,
            pool,
            hour,
            sum(weight) AS total_weight,
            groupUniqArrayIf(toString(team), weight > 0) AS teams
        FROM rollup_shares
        GROUP BY
            tenant,
            pool,
            hour
    ),
    paid AS (
        SELECT
            affected.tenant AS tenant,
            affected.pool AS pool,
            affected.hour AS hour,
            pools.kind = 'fixed' AS is_fixed,
            greatest(arrayLastIndex(each -> each.1 <= affected.hour, pools.costs), 1) AS step,
            if(empty(pools.costs), pools.hourly_cost, pools.costs[step].2) AS stated_cost,
            pools.capacity AS capacity,
            weighed.total_weight AS total_weight,
            weighed.teams AS teams,
            pools.idle_policy AS idle_policy,
            busy.nanoseconds AS busy_nano,
            -- By what has happened, not by the clock: the running hour is charged up to the latest span.
            toInt64(toUnixTimestamp(affected.hour)) AS hour_start,
            greatest(hour_start, toInt64(toUnixTimestamp(ifNull(pools.valid_from, toDateTime(0))))) AS charged_from,
            least(
                hour_start + 3600,
                toInt64(toUnixTimestamp({latest:DateTime64(9)})),
                if(isNull(pools.valid_to), hour_start + 3600, toInt64(toUnixTimestamp(pools.valid_to)))
            ) AS charged_until,
            toUInt32(greatest(0, assumeNotNull(charged_until) - charged_from)) AS seconds,
            -- What is charged for a month is owed by the second: what is owed at the end of an hour, less what was at its beginning.
            if(is_fixed, toInt64(toUnixTimestamp(pools.costs[step].1)), charged_from) AS step_from,
            if(
                is_fixed,
                toInt64(toUnixTimestamp(if(step < length(pools.costs), pools.costs[step + 1].1, assumeNotNull(pools.valid_to)))) - step_from,
                3600
            ) AS step_seconds,
            arrayMap(
                elapsed -> toDecimal128(
                    roundBankers(divideDecimal(toDecimal256(stated_cost, 18) * elapsed, toDecimal256(step_seconds, 0), 36), 18),
                    18
                ),
                [charged_from - step_from, charged_from - step_from + seconds]
            ) AS owed,
            toInt256(toDecimal256(owed[2] - owed[1], 18) * toInt256(1000000000000000000)) AS pool_units,
            if(empty(pools.shares), [toUInt32(1)], pools.shares) AS each_share,
            arrayMap(each -> (pool_units * each) % parts, each_share) AS rests,
            toInt256(each_share[pools.share]) AS part,
            toInt256(arraySum(each_share)) AS parts,
            -- Whole units of 1e-18, the largest remainder first, ties by tenant: all tenants together pay what the hour costs.
            intDiv(pool_units * part, parts) + (
                arrayCount(
                    (rest, number) -> (-rest, number) < (-rests[pools.share], pools.share),
                    rests,
                    arrayEnumerate(each_share)
                ) < pool_units - arraySum(arrayMap(each -> intDiv(pool_units * each, parts), each_share))
            ) AS units,
            toDecimal128(divideDecimal(toDecimal256(units, 0), toDecimal256(1000000000000000000, 0), 18), 18) AS whole_cost,
            toInt256(ifNull(pools.capacity, 0)) * seconds * part AS most_weight,
            total_weight * parts > most_weight AS is_overloaded,
            -- Of a stated capacity, the share of the tokens it could have served; without one, the share of the time it was busy.
            multiIf(
                total_weight = 0 OR seconds = 0 OR is_fixed, toDecimal128(0, 18),
                isNotNull(pools.capacity) AND is_overloaded, whole_cost,
                isNotNull(pools.capacity), toDecimal128(
                    roundBankers(
                        divideDecimal(
                            toDecimal256(whole_cost, 18) * if(is_overloaded, 0, total_weight * parts),
                            toDecimal256(greatest(most_weight, 1), 0),
                            36
                        ),
                        18
                    ),
                    18
                ),
                least(
                    whole_cost,
                    toDecimal128(
                        roundBankers(
                            divideDecimal(
                                toDecimal256(stated_cost, 18) * (busy_nano * part),
                                toDecimal256(3600000000000 * parts, 0),
                                36
                            ),
                            18
                        ),
                        18
                    )
                )
            ) AS used_cost,
            toInt256(toDecimal256(whole_cost - used_cost, 18) * toInt256(1000000000000000000)) AS idle_units,
            mapKeys(pools.reserved) AS reserved_by,
            mapValues(pools.reserved) AS reserved_shares,
            toInt256(greatest(arraySum(reserved_shares), 1)) AS reserved_parts,
            arrayMap(each -> (idle_units * each) % reserved_parts, reserved_shares) AS reserved_rests,
            idle_units - arraySum(arrayMap(each -> intDiv(idle_units * each, reserved_parts), reserved_shares)) AS reserved_left,
            -- Likewise, ties by team.
            arrayMap(
                (each, rest, place) -> toDecimal128(
                    divideDecimal(
                        toDecimal256(
                            intDiv(idle_units * each, reserved_parts) + (
                                arrayCount(
                                    (other, number) -> (-other, number) < (-rest, place),
                                    reserved_rests,
                                    arrayEnumerate(reserved_rests)
                                ) < reserved_left
                            ),
                            0
                        ),
                        toDecimal256(1000000000000000000, 0),
                        18
                    ),
                    18
                ),
                reserved_shares,
                reserved_rests,
                arrayEnumerate(reserved_rests)
            ) AS reserved_costs
        FROM affected
        INNER JOIN (
            SELECT
                tenant,
                pool,
                hourly_cost,
                costs,
                kind,
                capacity,
                valid_from,
                valid_to,
                shares,
                share,
                idle_policy,
                reserved
            FROM capacity_pools FINAL
            WHERE rating_run = {run:String}
        ) AS pools ON pools.tenant = affected.tenant AND pools.pool = affected.pool
        LEFT JOIN used ON used.tenant = affected.tenant AND used.pool = affected.pool
        LEFT JOIN busy ON busy.tenant = affected.tenant AND busy.pool = affected.pool AND busy.hour = affected.hour
        LEFT JOIN weighed ON weighed.tenant = affected.tenant AND weighed.pool = affected.pool AND weighed.hour = affected.hour
        WHERE isNotNull(pools.valid_from)
            OR (used.first_hour > 0 AND affected.hour >= used.first_hour)
    )
SELECT
    tenant,
    pool,
    hour,
    seconds,
    toDecimal128(busy_nano, 9) / 1000000000,
    total_weight,
    whole_cost,
    used_cost,
    whole_cost - used_cost,
    multiIf(
        total_weight = 0, whole_cost,
        idle_policy = 'none', whole_cost - used_cost,
        arraySum((amount, team) -> if(has(teams, team), 0, amount), reserved_costs, reserved_by)
    ),
    mapFromArrays(reserved_by, reserved_costs),
    if(whole_cost = 0, 0, toFloat64(used_cost) / toFloat64(whole_cost)),
    isNotNull(capacity) AND is_overloaded,
    {run:String},
    {version:UInt64},
    0
FROM paid
