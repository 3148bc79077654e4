-- One row per line of a commitment that is new or has changed: a trace whose lines stay as they are is not summed up again.
INSERT INTO capacity_lines
SELECT
    tenant,
    hour,
    pool,
    trace_id,
    span_id,
    part,
    kind,
    component,
    sub_component,
    unit,
    segment,
    '' AS review_trace_id,
    '' AS review_span_id,
    quantity,
    amount,
    list_price,
    price,
    per,
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
    currency,
    {run:String},
    {version:UInt64},
    0
FROM rollup_commitment_lines
WHERE sipHash128(tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, quantity, assumeNotNull(amount), isNull(amount), assumeNotNull(list_price), isNull(list_price), assumeNotNull(price), isNull(price), per, service, provider, model, role, team, feature, customer, project, cost_center, environment, user, session, currency) NOT IN (
    SELECT sipHash128(tenant, hour, pool, trace_id, span_id, part, kind, component, sub_component, unit, segment, quantity, assumeNotNull(amount), isNull(amount), assumeNotNull(list_price), isNull(list_price), assumeNotNull(price), isNull(price), per, service, provider, model, role, team, feature, customer, project, cost_center, environment, user, session, currency)
    FROM capacity_lines FINAL
    WHERE startsWith(kind, 'commit_')
        AND rating_run = {run:String}
        AND hour >= (SELECT min(pot_since) FROM rollup_commitment_windows)
        AND hour < (SELECT max(pot_until) FROM rollup_commitment_windows)
)
