-- One row per changed hour, attribution, provider, model, role, component, sub-component and status: the lines, summed.
INSERT INTO tcoai_by_hour
SELECT
    tenant,
    hour,
    team,
    feature,
    project,
    cost_center,
    environment,
    provider,
    model,
    role,
    component,
    sub_component,
    status,
    currency,
    {run:String},
    sum(amount),
    sumIf(ifNull(amount, 0), kind IN ('used', 'idle')),
    sumIf(ifNull(amount, 0), is_estimated),
    sum(list_cost),
    sum(contracted_cost),
    sumIf(quantity, kind = 'token'),
    count(),
    {version:UInt64},
    0
FROM cost_lines
WHERE (tenant, hour) IN (SELECT tenant, hour FROM rollup_hours)
GROUP BY
    tenant,
    hour,
    team,
    feature,
    project,
    cost_center,
    environment,
    provider,
    model,
    role,
    component,
    sub_component,
    status,
    currency
