import pytest
from hypothesis import given, strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector.otlp import decode

NOW = 1_767_225_600_000_000_000
YEAR_2300 = 10_413_792_000_000_000_000


def span(number: int = 1, **fields: object) -> Span:
    known = {
        "trace_id": b"t" * 16,
        "span_id": number.to_bytes(8, "big"),
        "name": f"span {number}",
        "start_time_unix_nano": NOW,
        "end_time_unix_nano": NOW + 1,
    }
    return Span(**{**known, **fields})


def request(*spans: Span) -> bytes:
    made = ExportTraceServiceRequest()
    made.resource_spans.add().scope_spans.add(spans=spans)
    return made.SerializeToString()


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of a protobuf message."""
    size = len(content)
    return bytes([number << 3 | 2, *([size & 0x7F | 0x80, size >> 7] if size > 0x7F else [size])]) + content


def names(accepted: decode.Accepted) -> list[str]:
    stored = ExportTraceServiceRequest.FromString(accepted.body)
    return [span.name for group in stored.resource_spans for scope in group.scope_spans for span in scope.spans]


def value(accepted: decode.Accepted, key: str) -> str:
    stored = ExportTraceServiceRequest.FromString(accepted.body).resource_spans[0].scope_spans[0].spans[0]
    return {pair.key: pair.value.string_value for pair in stored.attributes}[key]


def test_a_sound_request_is_stored_as_it_came():
    body = request(span(1), span(2))
    assert decode.accept(body, now=NOW) == decode.Accepted(body, spans=2)


def test_an_empty_request_is_a_request():
    assert decode.accept(b"", now=NOW) == decode.Accepted(b"", spans=0)


@pytest.mark.parametrize(
    "identity",
    [
        {"trace_id": b""},
        {"trace_id": bytes(16)},
        {"trace_id": b"t" * 12},
        {"span_id": b""},
        {"span_id": bytes(8)},
    ],
    ids=["no trace id", "zero trace id", "short trace id", "no span id", "zero span id"],
)
def test_a_span_without_identity_is_rejected_alone(identity: dict[str, bytes]):
    broken = span(2, **identity)
    accepted = decode.accept(request(span(1), broken, span(3)), now=NOW)
    reason = f"The {next(iter(identity)).replace('_', ' ')} "
    assert names(accepted) == ["span 1", "span 3"]
    assert [(each.request, each.reason[: len(reason)]) for each in accepted.rejected] == [(request(broken), reason)]


@pytest.mark.fault("malformed span")
def test_a_span_whose_text_is_not_utf8_is_rejected_alone():
    body = request(span(1), span(2), span(3)).replace(b"span 2", b"span \xff")
    accepted = decode.accept(body, now=NOW)
    assert (names(accepted), accepted.spans, len(accepted.rejected)) == (["span 1", "span 3"], 2, 1)


@pytest.mark.fault("malformed span")
def test_a_span_nested_beyond_reason_is_rejected_alone():
    deep = AnyValue(int_value=1)
    for _ in range(47):
        deep = AnyValue(array_value=ArrayValue(values=[deep]))
    wire = deep.SerializeToString()
    for _ in range(5):  # Protobuf refuses to build what it would refuse to read, so the last levels are made by hand.
        wire = field(5, field(1, wire))
    hostile = span(2).SerializeToString() + field(9, field(2, wire))
    body = field(1, field(2, field(2, span(1).SerializeToString()) + field(2, hostile)))
    accepted = decode.accept(body, now=NOW)
    assert (names(accepted), len(accepted.rejected)) == (["span 1"], 1)


@pytest.mark.fault("impossible time")
@pytest.mark.parametrize(
    ("start", "end", "stored"),
    [
        (0, NOW, (NOW, NOW)),
        (0, 0, (NOW + 7, NOW + 7)),
        (NOW, NOW - 1, (NOW, NOW)),
        (YEAR_2300, YEAR_2300, (NOW + 7, NOW + 7)),
        (NOW, YEAR_2300, (NOW, NOW)),
    ],
)
def test_an_impossible_time_is_put_right_and_told(start: int, end: int, stored: tuple[int, int]):
    body = request(span(start_time_unix_nano=start, end_time_unix_nano=end))
    accepted = decode.accept(body, now=NOW + 7)
    kept = ExportTraceServiceRequest.FromString(accepted.body).resource_spans[0].scope_spans[0].spans[0]
    assert (kept.start_time_unix_nano, kept.end_time_unix_nano) == stored
    assert value(accepted, "tokentrace.repaired") == f"start_time_unix_nano={start} end_time_unix_nano={end}"


def test_maps_lists_of_maps_and_bytes_become_text():
    pairs = [KeyValue(key="a", value=AnyValue(int_value=1)), KeyValue(key="b", value=AnyValue(string_value='"'))]
    a_map = AnyValue(kvlist_value=KeyValueList(values=pairs))
    accepted = decode.accept(
        request(
            span(
                attributes=[
                    KeyValue(key="map", value=a_map),
                    KeyValue(key="list", value=AnyValue(array_value=ArrayValue(values=[a_map, AnyValue()]))),
                    KeyValue(key="bytes", value=AnyValue(bytes_value=b"\x00\xff")),
                ]
            )
        ),
        now=NOW,
        flatten=True,
    )
    texts = [value(accepted, key) for key in ("map", "list", "bytes")]
    assert texts == ['{"a":1,"b":"\\""}', '[{"a":1,"b":"\\""},null]', "AP8="]


@pytest.mark.fault("malformed request")
@given(st.binary(max_size=300))
def test_no_bytes_can_do_harm(garbage: bytes):
    try:
        accepted = decode.accept(garbage, now=NOW)
    except decode.UndecodableError:
        return
    assert accepted.spans == len(names(accepted))


@given(st.lists(st.integers(1, 1 << 62), unique=True, max_size=5), st.data())
def test_a_flipped_byte_harms_at_most_one_span(numbers: list[int], data: st.DataObject):
    spans = [span(number) for number in numbers]
    body = bytearray(request(*spans))
    at = data.draw(st.integers(0, max(len(body) - 1, 0)))
    inside = any(0 <= at - body.find(each.SerializeToString()) < each.ByteSize() for each in spans)
    if inside:
        body[at] ^= data.draw(st.integers(1, 255))
        accepted = decode.accept(bytes(body), now=NOW)
        assert accepted.spans + len(accepted.rejected) == len(spans)
        assert len(set(names(accepted)) & {each.name for each in spans}) >= len(spans) - 1
