"""OTLP in JSON says the same as in protobuf."""

import base64
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings, strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from tokentrace_collector.otlp import from_json

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
uint64 = st.integers(0, (1 << 64) - 1)
any_values = st.recursive(
    st.builds(AnyValue)
    | st.builds(AnyValue, string_value=texts)
    | st.builds(AnyValue, bool_value=st.booleans())
    | st.builds(AnyValue, int_value=st.integers(-(1 << 63), (1 << 63) - 1))
    | st.builds(AnyValue, double_value=st.floats(allow_nan=False))
    | st.builds(AnyValue, bytes_value=st.binary(max_size=9)),
    lambda inner: (
        st.builds(AnyValue, array_value=st.builds(ArrayValue, values=st.lists(inner, max_size=3)))
        | st.builds(
            AnyValue,
            kvlist_value=st.builds(
                KeyValueList, values=st.lists(st.builds(KeyValue, key=texts, value=inner), max_size=3)
            ),
        )
    ),
    max_leaves=5,
)
attributes = st.lists(st.builds(KeyValue, key=texts, value=any_values), max_size=4)
spans = st.builds(
    Span,
    trace_id=st.binary(max_size=16),
    span_id=st.binary(max_size=8),
    parent_span_id=st.binary(max_size=8),
    trace_state=texts,
    flags=st.integers(0, (1 << 32) - 1),
    name=texts,
    kind=st.integers(0, 5),
    start_time_unix_nano=uint64,
    end_time_unix_nano=uint64,
    attributes=attributes,
    events=st.lists(st.builds(Span.Event, time_unix_nano=uint64, name=texts, attributes=attributes), max_size=2),
    links=st.lists(
        st.builds(Span.Link, trace_id=st.binary(max_size=16), span_id=st.binary(max_size=8), attributes=attributes),
        max_size=2,
    ),
    status=st.builds(Status, code=st.integers(0, 2), message=texts),
)
requests = st.builds(
    ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            ResourceSpans,
            resource=st.builds(Resource, attributes=attributes),
            scope_spans=st.lists(st.builds(ScopeSpans, spans=st.lists(spans, max_size=3)), max_size=2),
        ),
        max_size=2,
    ),
)
IDS = {"traceId", "spanId", "parentSpanId"}


def in_json(request: ExportTraceServiceRequest) -> bytes:
    """A request as OpenTelemetry writes it: protobuf's JSON, but ids in hex and enums as numbers."""

    def with_hex(node: Any) -> Any:
        if isinstance(node, list):
            return [with_hex(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {key: base64.b64decode(value).hex() if key in IDS else with_hex(value) for key, value in node.items()}

    return json.dumps(with_hex(json_format.MessageToDict(request, use_integers_for_enums=True))).encode()


@settings(max_examples=50, deadline=None)
@given(requests)
def test_json_reads_as_protobuf(request: ExportTraceServiceRequest):
    read, rejected = from_json.read(in_json(request))
    assert (rejected, in_json(read)) == ([], in_json(with_empty_members(request)))


def with_empty_members(request: ExportTraceServiceRequest) -> ExportTraceServiceRequest:
    """The request with the members that JSON may leave out set to what they mean."""
    for resource_spans in request.resource_spans:
        resource_spans.resource.SetInParent()
        for scope_spans in resource_spans.scope_spans:
            scope_spans.scope.SetInParent()
    return request


SPAN = {"traceId": "0AF7651916CD43DD8448EB211C80319C", "spanId": "b7ad6b7169203331"}


def read_span(**fields: Any) -> Span:
    request, rejected = from_json.read(
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN | fields]}]}]}).encode()
    )
    assert rejected == []
    return request.resource_spans[0].scope_spans[0].spans[0]


@pytest.mark.parametrize(
    "json_value", [{"intValue": "9007199254740993"}, {"intValue": 9007199254740993}], ids=["text", "number"]
)
def test_integers_are_text_or_numbers(json_value: dict[str, Any]):
    span = read_span(attributes=[{"key": "tokens", "value": json_value}])
    assert span.attributes[0].value.int_value == 9007199254740993


def test_ids_are_hex_in_either_case():
    assert read_span().trace_id == bytes.fromhex("0af7651916cd43dd8448eb211c80319c")


def test_unknown_members_and_nulls_are_passed_over():
    span = read_span(name=None, attributes=None, status=None, invented={"by": ["someone"]})
    assert span == Span(trace_id=span.trace_id, span_id=span.span_id, status=Status())


def test_enums_may_be_named():
    assert read_span(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"}).kind == Span.SPAN_KIND_CLIENT


@pytest.mark.parametrize(
    "fields",
    [
        {"traceId": "xyz"},
        {"traceId": 7},
        {"kind": "SPAN_KIND_UNHEARD_OF"},
        {"startTimeUnixNano": -1},
        {"startTimeUnixNano": 1.5},
        {"attributes": {}},
        {"attributes": [{"key": "a", "value": {"intValue": 1 << 63}}]},
        {"attributes": [{"key": "a", "value": {"bytesValue": "?"}}]},
        {"name": "\ud800"},
    ],
    ids=str,
)
def test_a_span_that_is_none_is_rejected_alone(fields: dict[str, Any]):
    body = {"resourceSpans": [{"scopeSpans": [{"spans": [SPAN | {"name": "good"}, SPAN | fields]}]}]}
    request, rejected = from_json.read(json.dumps(body).encode())
    assert [span.name for span in request.resource_spans[0].scope_spans[0].spans] == ["good"]
    assert [each.reason.partition(":")[0] for each in rejected] == ["The span is not OTLP in JSON"]
