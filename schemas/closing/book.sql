-- One row per line to book in a month: what was charged in it, and the corrections of those before.
INSERT INTO booked_lines
SELECT
    tenant,
    {month:Date},
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
    max(charges.rating_run),
    sum(charges.quantity),
    sum(charges.amount),
    sum(charges.listed),
    sum(charges.contracted),
    sum(charges.lines),
    sum(charges.unpriced),
    {version:UInt64}
FROM charges
WHERE tenant = {tenant:String}
    AND booking_month = {month:Date}
GROUP BY ALL
HAVING sum(charges.quantity) != 0
    OR sum(charges.amount) != 0
    OR sum(charges.listed) != 0
    OR sum(charges.contracted) != 0
    OR sum(charges.lines) != 0
    OR sum(charges.unpriced) != 0
