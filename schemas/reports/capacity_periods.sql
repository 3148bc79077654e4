-- One row per capacity pool and hour, day or month (UTC): what it cost, how much of that served calls, and what energy it took.
WITH
    booked AS (
        SELECT
            pool,
            hour,
            multiIf(
                {per:String} = 'month', toDateTime(toStartOfMonth(hour, 'UTC'), 'UTC'),
                {per:String} = 'day', toDateTime(toStartOfDay(hour, 'UTC'), 'UTC'),
                toDateTime(hour, 'UTC')
            ) AS period,
            charged_seconds,
            cost,
            used,
            idle,
            unallocated,
            kappa_too_low,
            busy_seconds,
            weight,
            rating_run
        FROM capacity_hours FINAL
        WHERE tenant = {tenant:String}
            AND hour >= toStartOfHour({since:DateTime64(6)})
            AND hour < {until:DateTime64(6)}
    ),
    -- By the prices that an hour was booked with: one of a closed trace keeps them.
    pools AS (
        SELECT
            rating_run,
            pool,
            kind,
            capacity,
            kilowatts,
            grid_g_per_kwh,
            shares,
            share
        FROM capacity_pools FINAL
        WHERE tenant = {tenant:String}
    ),
    -- The part of the hour in which it worked is that of its cost; here it is known of an hour that costs nothing, too.
    powered AS (
        SELECT
            booked.*,
            isNull(pools.capacity) AS by_time,
            -- Of a pool that several tenants pay, each has its share of what it can do and takes.
            toInt256(if(empty(pools.shares), 1, pools.shares[pools.share])) AS part,
            toInt256(if(empty(pools.shares), 1, arraySum(pools.shares))) AS parts,
            if(by_time, toInt256(charged_seconds) * 1000000000, toInt256(ifNull(pools.capacity, 0)) * charged_seconds * part) AS whole,
            least(whole, if(by_time, toInt256(toDecimal256(busy_seconds, 9) * toInt256(1000000000)), weight * parts)) AS busy,
            toDecimal256(pools.kilowatts, 18) * (charged_seconds * part) AS kilowatt_seconds,
            toDecimal256(3600 * parts, 0) AS part_seconds,
            toDecimal256(roundBankers(divideDecimal(kilowatt_seconds, part_seconds, 24), 18), 18) AS kwh,
            toDecimal256(
                roundBankers(
                    divideDecimal(kilowatt_seconds * busy, part_seconds * if(whole = 0, toInt256(1), whole), 24),
                    18
                ),
                18
            ) AS kwh_used,
            toDecimal256(pools.grid_g_per_kwh, 6) AS grams,
            toDecimal256(roundBankers(kwh * grams, 18), 18) AS co2e,
            toDecimal256(roundBankers(kwh_used * grams, 18), 18) AS co2e_used
        FROM booked
        LEFT JOIN pools ON pools.rating_run = booked.rating_run AND pools.pool = booked.pool
        WHERE pools.kind != 'fixed'
    )
SELECT
    pool,
    period,
    max(hour) + INTERVAL 1 HOUR AS ended,
    sum(toUInt64(charged_seconds)) AS seconds,
    count() AS hours,
    countIf(kappa_too_low) AS overloaded,
    sum(powered.cost) AS cost,
    sum(powered.used) AS used,
    sum(powered.idle) AS idle,
    sum(powered.unallocated) AS unallocated,
    divideDecimal(toDecimal256(sum(powered.weight), 0), toDecimal256(1000000, 0), 6) AS served,
    if(cost = 0, NULL, toFloat64(used) / toFloat64(cost)) AS utilisation,
    count(powered.kwh) AS kwh_hours,
    sum(powered.kwh) AS kwh,
    sum(powered.kwh_used) AS kwh_used,
    count(powered.co2e) AS co2e_hours,
    sum(powered.co2e) AS co2e,
    sum(powered.co2e_used) AS co2e_used
FROM powered
GROUP BY
    pool,
    period
ORDER BY
    pool,
    period
