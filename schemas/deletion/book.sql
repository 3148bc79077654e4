-- One row per line of a closed month that a deletion has changed: it is booked where it was, and corrections are as before.
INSERT INTO booked_lines
SELECT
    tenant,
    greatest(toStartOfMonth(hour, 'UTC'), (SELECT min(month) FROM closed_months WHERE tenant = {tenant:String})),
    hour,
    kind,
    service,
    provider,
    model,
    tier,
    role,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    pool,
    component,
    sub_component,
    unit,
    per,
    list_price,
    price,
    status,
    is_estimated,
    currency,
    max(changed.rating_run),
    sum(changed.quantity),
    sum(changed.amount),
    sum(changed.listed),
    sum(changed.contracted),
    sum(changed.lines),
    sum(changed.unpriced),
    {version:UInt64}
FROM (
    SELECT
        tenant, hour, kind, service, provider, model, tier, role, team, feature, customer, project, cost_center,
        environment, pool, component, sub_component, unit, per, list_price, price, status, is_estimated, currency,
        rating_run, quantity, amount, listed, contracted, lines, unpriced
    FROM charges
    WHERE tenant = {tenant:String}
        AND is_correction
        AND booking_month IN (SELECT toDate(open_from) FROM closings WHERE tenant = {tenant:String})
    UNION ALL
    SELECT
        tenant, hour, kind, service, provider, model, tier, role, team, feature, customer, project, cost_center,
        environment, pool, component, sub_component, unit, per, list_price, price, status, is_estimated, currency,
        rating_run, -deletion_corrections.quantity AS quantity, -deletion_corrections.amount AS amount,
        -deletion_corrections.listed AS listed, -deletion_corrections.contracted AS contracted,
        -deletion_corrections.lines AS lines, -deletion_corrections.unpriced AS unpriced
    FROM deletion_corrections
    WHERE tenant = {tenant:String}
) AS changed
GROUP BY ALL
HAVING sum(changed.quantity) != 0
    OR sum(changed.amount) != 0
    OR sum(changed.listed) != 0
    OR sum(changed.contracted) != 0
    OR sum(changed.lines) != 0
    OR sum(changed.unpriced) != 0
