-- One row per pool, hour to allocate, and line of a call that the pool served in that hour.
-- A call of several hours brings its tokens to each in proportion to its time there.
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
