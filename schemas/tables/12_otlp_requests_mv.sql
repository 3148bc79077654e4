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
    ((kind, string, bool, int, double, items) -> multiIf(
        throwIf(toInt8(kind) > 5, 'OTLP value is nested too deeply for the engine') = 1, '',
        kind = 'string_value', string,
        kind = 'int_value', toString(int),
        kind = 'bool_value', toString(bool),
        kind = 'double_value', toString(double),
        kind = 'array_value', concat('[', arrayStringConcat(arrayMap(item -> item_text(item), items), ','), ']'),
        ''
    )) AS value_text,
    -- OTLP wants keys to be unique; where they are not, the last one counts, as in the exporter.
    (lists -> arrayMap(
        (keys, texts) -> if(
            arrayUniq(keys) = length(keys),
            mapFromArrays(keys, texts),
            mapFromArrays(
                arrayDistinct(arrayReverse(keys)),
                arrayMap(key -> arrayReverse(texts)[indexOf(arrayReverse(keys), key)], arrayDistinct(arrayReverse(keys)))
            )
        ),
        arrayMap(pairs -> pairs.key, lists),
        -- Member by member: of a whole value, all members would be copied for each kind.
        arrayMap(
            pairs -> arrayMap(
                (kind, string, bool, int, double, items) -> value_text(kind, string, bool, int, double, items),
                pairs.value.value,
                pairs.value.string_value,
                pairs.value.bool_value,
                pairs.value.int_value,
                pairs.value.double_value,
                pairs.value.array_value.values
            ),
            lists
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
    resource['service.name'] AS ServiceName,
    resource AS ResourceAttributes,
    scope.name AS ScopeName,
    scope.version AS ScopeVersion,
    attributes_of_span AS SpanAttributes,
    span.end_time_unix_nano - span.start_time_unix_nano AS Duration,
    transform(span.status.code, [0, 1, 2], ['Unset', 'Ok', 'Error'], '') AS StatusCode,
    span.status.message AS StatusMessage,
    arrayMap(event -> fromUnixTimestamp64Nano(toInt64(event.time_unix_nano)), span.events) AS `Events.Timestamp`,
    span.events.name AS `Events.Name`,
    arraySlice(told, 1, length(span.events)) AS `Events.Attributes`,
    arrayMap(link -> lower(hex(link.trace_id)), span.links) AS `Links.TraceId`,
    arrayMap(link -> lower(hex(link.span_id)), span.links) AS `Links.SpanId`,
    span.links.trace_state AS `Links.TraceState`,
    arraySlice(told, 1 + length(span.events)) AS `Links.Attributes`,
    tenant AS Tenant
FROM (
    SELECT
        tenant,
        resource,
        scope_span.scope AS scope,
        span,
        attributes([span.attributes])[1] AS attributes_of_span,
        -- In one list: the engine spells out a function for each place where it is called, at every insert.
        attributes(arrayConcat(span.events.attributes, span.links.attributes)) AS told
    FROM (
        SELECT
            tenant,
            resource,
            scope_span,
            arrayJoin(scope_span.spans) AS span
        FROM (
            SELECT
                tenant,
                resource,
                arrayJoin(resource_span.scope_spans) AS scope_span
            FROM (
                SELECT
                    tenant,
                    resource_span,
                    attributes([resource_span.resource.attributes])[1] AS resource
                FROM (
                    SELECT
                        tenant,
                        arrayJoin(request.resource_spans) AS resource_span
                    FROM otlp_requests
                )
            )
        )
    )
)
