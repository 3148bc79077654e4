-- One row per span of a trace that took HTTP requests: their outcomes in order.
SELECT
    span_id,
    arrayMap(attempt -> toUInt16OrZero(attempt['tokentrace.attempt.number']), attempts) AS numbers,
    arrayMap(attempt -> toUInt16OrZero(attempt['http.response.status_code']), attempts) AS statuses,
    arrayMap(attempt -> attempt['error.type'], attempts) AS errors
FROM (
    SELECT
        SpanId AS span_id,
        arrayFilter((attributes, name) -> name = 'tokentrace.attempt', Events.Attributes, Events.Name) AS attempts
    FROM otel_traces
    WHERE Tenant = {tenant:String}
        AND TraceId = {trace_id:String}
        AND Timestamp BETWEEN {since:DateTime64(9)} AND {until:DateTime64(9)}
        AND has(Events.Name, 'tokentrace.attempt')
    ORDER BY SpanId
    LIMIT 1 BY SpanId
)
