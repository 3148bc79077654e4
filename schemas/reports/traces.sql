-- One row per trace that is wanted: what it cost, for whom, and how much of that is known.
-- `chosen` stands for the file of that name; its condition, for that of one trace.
SELECT
    trace_id,
    started_at,
    ended_at,
    root_name,
    service,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    tags,
    currency,
    ${components: {name}},
    total,
    direct,
    allocated,
    measured,
    estimated,
    spans,
    calls,
    sampled,
    attempts,
    failed_attempts,
    unknown_attempts,
    tokens,
    meters,
    usage_covered,
    usage_total,
    tokens_covered,
    tokens_total,
    rates_covered,
    rates_total,
    roles_covered,
    roles_total,
    reviews_covered,
    reviews_total,
    coverage
FROM tcoai_by_trace FINAL
WHERE tenant = {tenant:String}
    AND (day, trace_id) IN (SELECT day, trace_id FROM chosen)
ORDER BY
    if({by_cost:Bool}, total, 0) DESC,
    started_at DESC,
    trace_id
LIMIT {limit:UInt32}
