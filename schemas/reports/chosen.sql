-- One row per trace that matches: its key, by the few columns that this takes.
-- A text that is empty, a NULL and a false flag ask for nothing.
SELECT
    day,
    trace_id
FROM tcoai_by_trace FINAL
WHERE tenant = {tenant:String}
    AND day BETWEEN {first_day:Date} AND {last_day:Date}
    AND startsWith(trace_id, {trace_id:String})
    -- Days, and whole ids, are found without reading all of them.
    AND (length({trace_id:String}) < 32 OR trace_id = {trace_id:String})
    AND ({since:Nullable(DateTime64(6))} IS NULL OR day >= toDate32({since:Nullable(DateTime64(6))}, 'UTC'))
    AND ({until:Nullable(DateTime64(6))} IS NULL OR day <= toDate32({until:Nullable(DateTime64(6))}, 'UTC'))
    AND ({service:String} = '' OR service = {service:String})
    AND ({team:String} = '' OR team = {team:String})
    AND ({feature:String} = '' OR feature = {feature:String})
    AND ({customer:String} = '' OR customer = {customer:String})
    AND ({project:String} = '' OR project = {project:String})
    AND ({cost_center:String} = '' OR cost_center = {cost_center:String})
    AND ({environment:String} = '' OR environment = {environment:String})
    AND ({user:String} = '' OR user = {user:String})
    AND ({session:String} = '' OR session = {session:String})
    -- Nanoseconds reach to 2262 only, the moments of a question to 2299.
    AND ({since:Nullable(DateTime64(6))} IS NULL OR toDateTime64(started_at, 6, 'UTC') >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR toDateTime64(started_at, 6, 'UTC') < {until:Nullable(DateTime64(6))})
    AND ({min_cost:Nullable(Decimal(38, 18))} IS NULL OR total >= {min_cost:Nullable(Decimal(38, 18))})
    AND (NOT {errors:Bool} OR errors > 0 OR failed_attempts > 0)
    AND (
        {model:String} = ''
        OR trace_id IN (
            SELECT trace_id
            FROM call_costs
            WHERE tenant = {tenant:String} AND model = {model:String}
        )
    )
ORDER BY
    if({by_cost:Bool}, total, 0) DESC,
    started_at DESC,
    trace_id
LIMIT {limit:UInt32}
