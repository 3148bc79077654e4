-- One row per span of each OTLP request, as the OpenTelemetry Collector's exporter writes it.
CREATE MATERIALIZED VIEW IF NOT EXISTS otlp_requests_mv TO otel_traces AS
WITH
    -- A list's item as JSON. What is deeper than a scalar is refused, so that nothing is stored as something else.
    (item -> multiIf(
        throwIf(toInt8(item.value) > 4, 'OTLP value is nested too deeply for the engine') = 1, '',
        item.value = 'string_value', toJSONString(item.string_value),
        item.value = 'int_value', toString(item.int_value),
        item.value = 'bool_value', toString(item.bool_value),
        item.value = 'double_value' AND isFinite(item.double_value), toString(item.double_value),
        'null'
    )) AS item_text,
    (any -> multiIf(
        throwIf(toInt8(any.value) > 5, 'OTLP value is nested too deeply for the engine') = 1, '',
        any.value = 'string_value', any.string_value,
        any.value = 'int_value', toString(any.int_value),
        any.value = 'bool_value', toString(any.bool_value),
        any.value = 'double_value', toString(any.double_value),
        any.value = 'array_value',
        concat('[', arrayStringConcat(arrayMap(item -> item_text(item), any.array_value.values), ','), ']'),
        ''
    )) AS value_text,
    -- OTLP wants keys to be unique; where they are not, the last one counts, as in the exporter.
    (pairs -> if(
        arrayUniq(pairs.key) = length(pairs.key),
        mapFromArrays(pairs.key, arrayMap(any -> value_text(any), pairs.value)),
        mapFromArrays(
            arrayDistinct(arrayReverse(pairs.key)),
            arrayMap(
                key -> value_text(arrayReverse(pairs.value)[indexOf(arrayReverse(pairs.key), key)]),
                arrayDistinct(arrayReverse(pairs.key))
            )
        )
    )) AS attributes
SELECT
    fromUnixTimestamp64Nano(toInt64(span.start_time_unix_nano)) AS Timestamp,
    lower(hex(span.trace_id)) AS TraceId,
    lower(hex(span.span_id)) AS SpanId,
    lower(hex(span.parent_span_id)) AS ParentSpanId,
    span.trace_state AS TraceState,
    span.name AS SpanName,
    transform(
        span.kind,
        [0, 1, 2, 3, 4, 5],
        ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'],
        ''
    ) AS SpanKind,
    ResourceAttributes['service.name'] AS ServiceName,
    attributes(resource_span.resource.attributes) AS ResourceAttributes,
    scope_span.scope.name AS ScopeName,
    scope_span.scope.version AS ScopeVersion,
    attributes(span.attributes) AS SpanAttributes,
    span.end_time_unix_nano - span.start_time_unix_nano AS Duration,
    transform(span.status.code, [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(event -> fromUnixTimestamp64Nano(toInt64(event.time_unix_nano)), span.events) AS `Events.Timestamp`,
    span.events.name AS `Events.Name`,
    arrayMap(event -> attributes(event.attributes), span.events) AS `Events.Attributes`,
    arrayMap(link -> lower(hex(link.trace_id)), span.links) AS `Links.TraceId`,
    arrayMap(link -> lower(hex(link.span_id)), span.links) AS `Links.SpanId`,
    span.links.trace_state AS `Links.TraceState`,
    arrayMap(link -> attributes(link.attributes), span.links) AS `Links.Attributes`,
    tenant AS Tenant
FROM (
    SELECT
        tenant,
        resource_span,
        scope_span,
        arrayJoin(scope_span.spans) AS span
    FROM (
        SELECT
            tenant,
            resource_span,
            arrayJoin(resource_span.scope_spans) AS scope_span
        FROM (
            SELECT
                tenant,
                arrayJoin(request.resource_spans) AS resource_span
            FROM otlp_requests
        )
    )
)
