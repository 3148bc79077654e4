-- One row per trace of the tenant, wherever something is left of it.
INSERT INTO rollup_batch
SELECT
    Tenant,
    TraceId
FROM otel_traces
WHERE Tenant = {tenant:String}
UNION DISTINCT
SELECT
    tenant,
    trace_id
FROM trace_extents
WHERE tenant = {tenant:String}
UNION DISTINCT
SELECT
    tenant,
    trace_id
FROM call_costs
WHERE tenant = {tenant:String}
