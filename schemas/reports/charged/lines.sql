-- One row per line as it is now: what is booked knows neither users nor sessions, nor what was done again since.
WITH done_again AS (
    SELECT trace_id
    FROM runs_of_work
    WHERE tenant = {tenant:String}
    GROUP BY trace_id
    HAVING min(is_superseded)
)
SELECT
    hour AS moment,
    hour,
    0 AS is_correction,
    team,
    feature,
    project,
    cost_center,
    environment,
    role,
    role_source,
    provider,
    model,
    if(
        ({infra_view:String} = 'all' AND kind IN ('used', 'commit_used')) AS is_moved,
        if(kind = 'used', 'gpu_used', 'commitment_used'),
        toString(cost_lines.sub_component)
    ) AS sub_component,
    unit AS token_class,
    customer,
    user,
    session,
    service,
    if(trace_id IN (SELECT trace_id FROM done_again), 'rework', '') AS rework,
    if(is_moved, 'infrastructure', cost_lines.component) AS component,
    currency,
    ifNull(cost_lines.amount, 0) AS amount,
    if(is_estimated, ifNull(cost_lines.amount, 0), 0) AS estimated,
    if(kind NOT IN ('token', 'meter', 'review'), ifNull(cost_lines.amount, 0), 0) AS allocated,
    if(kind = 'token', quantity, 0) AS tokens,
    1 AS lines,
    isNull(cost_lines.amount) AS unpriced
FROM cost_lines
WHERE tenant = {tenant:String}
    AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
UNION ALL
SELECT
    hour AS moment,
    hour,
    0 AS is_correction,
    team,
    feature,
    project,
    cost_center,
    environment,
    role,
    role_source,
    provider,
    model,
    '' AS sub_component,
    '' AS token_class,
    customer,
    user,
    session,
    service,
    if(trace_id IN (SELECT trace_id FROM done_again), 'rework', '') AS rework,
    '' AS component,
    currency,
    0 AS amount,
    0 AS estimated,
    0 AS allocated,
    0 AS tokens,
    1 AS lines,
    1 AS unpriced
FROM unknown_usage
WHERE tenant = {tenant:String}
    AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
