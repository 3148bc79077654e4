-- One row per trace in which a span names the user: as it was sent, as it was read, and as it was rated.
-- `enduser.id` is what `user.id` was called before; figures do not read it, and yet it names somebody.
INSERT INTO rollup_batch
SELECT
    Tenant,
    TraceId
FROM otel_traces
WHERE Tenant = {tenant:String}
    AND {id:String} IN (
        SpanAttributes['user.id'],
        ResourceAttributes['user.id'],
        SpanAttributes['enduser.id'],
        ResourceAttributes['enduser.id']
    )
UNION DISTINCT
SELECT
    tenant,
    trace_id
FROM llm_calls
WHERE tenant = {tenant:String}
    AND user = {id:String}
UNION DISTINCT
SELECT
    tenant,
    trace_id
FROM call_costs
WHERE tenant = {tenant:String}
    AND user = {id:String}
