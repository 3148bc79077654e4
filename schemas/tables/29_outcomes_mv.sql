-- One row per span that reports an outcome.
CREATE MATERIALIZED VIEW IF NOT EXISTS outcomes_mv TO outcomes AS
SELECT
    Tenant AS tenant,
    TraceId AS trace_id,
    SpanId AS span_id,
    Timestamp AS reported_at,
    SpanAttributes['tokentrace.outcome.status'] AS status,
    toDecimal128OrNull(SpanAttributes['tokentrace.outcome.value'], 18) AS value,
    SpanAttributes['tokentrace.outcome.currency'] AS currency,
    toDecimal128OrNull(SpanAttributes['tokentrace.outcome.units'], 18) AS units,
    SpanAttributes['tokentrace.outcome.unit_name'] AS unit_name,
    IngestedAt AS ingested_at
FROM otel_traces
WHERE SpanAttributes['tokentrace.outcome.status'] != ''
