-- One row per line that is to be corrected in the first open month of a tenant.
INSERT INTO deletion_corrections
SELECT
    tenant,
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
    sum(charges.unpriced)
FROM charges
WHERE tenant = {tenant:String}
    AND is_correction
    AND booking_month IN (SELECT toDate(open_from) FROM closings WHERE tenant = {tenant:String})
GROUP BY ALL
HAVING sum(charges.quantity) != 0
    OR sum(charges.amount) != 0
    OR sum(charges.listed) != 0
    OR sum(charges.contracted) != 0
    OR sum(charges.lines) != 0
    OR sum(charges.unpriced) != 0
