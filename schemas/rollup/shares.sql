-- One row per pool, hour to allocate, and line of a call that the pool served in that hour.
-- A call of several hours brings its tokens to each in proportion to its time there. And one per fixed cost that is shared,
-- hour, and call that began in it.
INSERT INTO rollup_shares
WITH
    served AS (
        SELECT
            call_costs.*,
            toUnixTimestamp64Nano(started_at) AS start_nano,
            -- A call longer than a day is a span nobody closed.
            greatest(start_nano, toUnixTimestamp64Nano(least(ended_at, started_at + INTERVAL 1 DAY))) AS end_nano,
            arrayJoin(range(
                toUInt32(intDiv(start_nano, 3600000000000)),
                toUInt32(intDiv(greatest(start_nano, end_nano - 1), 3600000000000)) + 1
            )) AS hour_number,
            greatest(start_nano, toInt64(hour_number) * 3600000000000) AS since,
            least(end_nano, (toInt64(hour_number) + 1) * 3600000000000) AS until
        FROM call_costs FINAL
        WHERE pool != ''
            AND started_at >= toDateTime64(0, 9)
            AND hour >= (SELECT min(hour) FROM rollup_pool_hours) - INTERVAL 1 DAY
            AND hour <= (SELECT max(hour) FROM rollup_pool_hours)
    ),
    weights AS (
        SELECT
            tenant,
            pool,
            weight_input,
            weight_cached,
            weight_output
        FROM capacity_pools FINAL
        WHERE rating_run = {run:String}
    ),
    weighed AS (
        SELECT
            served.*,
            line_kind,
            line_unit,
            line_segment,
            line_component,
            line_sub_component,
            line_quantity,
            if(line_kind = 'token', toInt256(toUInt64(line_quantity)), 0)
                * multiIf(
                    startsWith(line_unit, 'cache_read'), weights.weight_cached,
                    startsWith(line_unit, 'output_'), weights.weight_output,
                    weights.weight_input
                ) AS whole_weight
        FROM served
        LEFT ARRAY JOIN
            lines.kind AS line_kind,
            lines.unit AS line_unit,
            lines.segment AS line_segment,
            lines.component AS line_component,
            lines.sub_component AS line_sub_component,
            lines.quantity AS line_quantity
        INNER JOIN weights ON weights.tenant = served.tenant AND weights.pool = served.pool
    ),
    fees AS (
        SELECT
            tenant,
            pool,
            share_by,
            arrayMap(
                glob -> replaceAll(replaceAll(replaceRegexpAll(glob, '([%_\\\\])', '\\\\\\1'), '*', '%'), '?', '_'),
                [team, service]
            ) AS patterns
        FROM capacity_pools FINAL
        WHERE rating_run = {run:String}
            AND share_by != ''
    )
SELECT
    tenant,
    pool,
    toDateTime(hour_number * 3600) AS share_hour,
    since,
    until,
    if(end_nano = start_nano, whole_weight, intDiv(whole_weight * (until - since), end_nano - start_nano)),
    trace_id,
    span_id,
    part,
    line_component,
    line_sub_component,
    line_unit,
    line_segment,
    line_quantity,
    operation,
    waste,
    stream_end,
    reasoning_visibility,
    service,
    provider,
    model,
    role,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    currency
FROM weighed
WHERE (tenant, pool, share_hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
UNION ALL
SELECT
    calls.tenant,
    fees.pool,
    calls.hour,
    toInt64(toUnixTimestamp(calls.hour)) * 1000000000 AS began,
    began,
    -- Parts of a call are no calls of their own.
    if(
        fees.share_by = 'calls',
        toInt256(calls.part = 0 AND (calls.bearing OR calls.borne_by = 'parts')),
        if(calls.bearing, toInt256(arraySum(mapValues(calls.tokens))), 0)
    ) * 1000000 AS fee_weight,
    calls.trace_id,
    calls.span_id,
    calls.part,
    '',
    '',
    '',
    '',
    toDecimal64(0, 6),
    calls.operation,
    calls.waste,
    calls.stream_end,
    calls.reasoning_visibility,
    calls.service,
    calls.provider,
    calls.model,
    calls.role,
    calls.team,
    calls.feature,
    calls.customer,
    calls.project,
    calls.cost_center,
    calls.environment,
    calls.user,
    calls.session,
    calls.currency
FROM call_costs AS calls FINAL
INNER JOIN fees ON fees.tenant = calls.tenant
WHERE calls.kind = 'call'
    -- Where nothing is shared, nothing is read.
    AND (calls.tenant, calls.hour) IN (
        SELECT
            tenant,
            hour
        FROM rollup_pool_hours
        WHERE (tenant, pool) IN (SELECT tenant, pool FROM fees)
    )
    AND (calls.tenant, fees.pool, calls.hour) IN (SELECT tenant, pool, hour FROM rollup_pool_hours)
    AND calls.team LIKE fees.patterns[1]
    AND calls.service LIKE fees.patterns[2]
    AND fee_weight > 0
