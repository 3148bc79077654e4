-- One row per line of cost: quantity × price of one bucket, meter, review or share of capacity or of a review, in exactly one component.
CREATE OR REPLACE VIEW cost_lines AS
SELECT
    tenant,
    trace_id,
    span_id,
    part,
    lines.kind AS kind,
    charge_time,
    hour,
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
    user,
    session,
    pool,
    lines.unit AS unit,
    lines.segment AS segment,
    lines.component AS component,
    lines.sub_component AS sub_component,
    lines.quantity AS quantity,
    lines.per AS per,
    lines.list_price AS list_price,
    lines.price AS price,
    multiIf(
        lines.status = 'free', toDecimal128(0, 18),
        lines.kind = 'token', toUInt64(lines.quantity) * lines.list_price,
        toDecimal128(roundBankers(divideDecimal(toDecimal256(lines.quantity, 6) * lines.list_price, toDecimal256(lines.per, 0), 36), 18), 18)
    ) AS list_cost,
    if(
        lines.kind = 'token',
        toUInt64(lines.quantity) * lines.price,
        toDecimal128(roundBankers(divideDecimal(toDecimal256(lines.quantity, 6) * lines.price, toDecimal256(lines.per, 0), 36), 18), 18)
    ) AS contracted_cost,
    lines.amount AS amount,
    lines.status AS status,
    multiIf(
        lines.segment = 'attempt', true,
        empty(estimated_counts), usage_source = 'estimated',
        lines.kind = 'token' AND has(estimated_counts, if(startsWith(lines.unit, 'output_'), 'output', 'input'))
    ) AS is_estimated,
    currency,
    rating_run
FROM call_costs FINAL
ARRAY JOIN lines
UNION ALL
SELECT
    tenant,
    trace_id,
    span_id,
    part,
    kind,
    toDateTime64(hour, 9) AS charge_time,
    hour,
    service,
    provider,
    model,
    '' AS tier,
    role,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    pool,
    unit,
    segment,
    component,
    sub_component,
    quantity,
    per,
    list_price,
    price,
    NULL AS list_cost,
    NULL AS contracted_cost,
    amount,
    multiIf(isNull(amount), 'unpriced', startsWith(kind, 'commit_'), 'committed', 'allocated') AS status,
    0 AS is_estimated,
    currency,
    rating_run
FROM capacity_lines FINAL
-- Of a review whose time nobody measured, there is no line either where it is of one request.
WHERE unit != ''
