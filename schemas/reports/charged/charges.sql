-- One row per line as it is booked: what the hours do not tell, such as customers, is asked of lines, which add up to the same.
SELECT
    booking_time AS moment,
    hour,
    is_correction,
    team,
    feature,
    project,
    cost_center,
    environment,
    role,
    '' AS role_source,
    provider,
    model,
    if(
        ({infra_view:String} = 'all' AND kind IN ('used', 'commit_used')) AS is_moved,
        if(kind = 'used', 'gpu_used', 'commitment_used'),
        toString(charges.sub_component)
    ) AS sub_component,
    unit AS token_class,
    customer,
    '' AS user,
    '' AS session,
    service,
    '' AS rework,
    if(is_moved, 'infrastructure', charges.component) AS component,
    currency,
    charges.amount AS amount,
    if(is_estimated, charges.amount, 0) AS estimated,
    if(kind NOT IN ('token', 'meter', 'review'), charges.amount, 0) AS allocated,
    if(kind = 'token', quantity, 0) AS tokens,
    charges.lines AS lines,
    charges.unpriced AS unpriced
FROM charges
WHERE tenant = {tenant:String}
    AND ({since:Nullable(DateTime64(6))} IS NULL OR booking_time >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR booking_time < {until:Nullable(DateTime64(6))})
