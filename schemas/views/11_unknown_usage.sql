-- One row per call whose usage nobody knows in full: a line of cost that has no amount, of no component.
CREATE OR REPLACE VIEW unknown_usage AS
SELECT
    tenant,
    trace_id,
    span_id,
    hour,
    service,
    provider,
    model,
    role,
    role_source,
    team,
    feature,
    customer,
    project,
    cost_center,
    environment,
    user,
    session,
    currency,
    'usage_unknown' AS status
FROM call_costs FINAL
WHERE usage_covered < usage_total
