"""The engine's own reading of OTLP and ours in Python give the same rows."""

import itertools

from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tokentrace_collector.otlp import decode, rows, values
from tokentrace_collector.store.database import Store

NOW = 1_767_225_600_000_000_000
_numbers = itertools.count()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
int64 = st.integers(-(1 << 63), (1 << 63) - 1)
# Few days, because each is a partition to write.
moments = st.integers(NOW, NOW + 10**12) | st.sampled_from([0, 1, 1 << 62, (1 << 62) + 1, (1 << 63) - 1, (1 << 64) - 1])
scalars = st.one_of(
    st.builds(AnyValue),
    st.builds(AnyValue, string_value=texts),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=int64),
    st.builds(AnyValue, double_value=st.floats()),
)
any_values = st.recursive(
    scalars | st.builds(AnyValue, bytes_value=st.binary(max_size=9)),
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
attributes = st.lists(st.builds(KeyValue, key=texts | st.sampled_from(["a", "b"]), value=any_values), max_size=4)
events = st.builds(Span.Event, time_unix_nano=moments, name=texts, attributes=attributes)
links = st.builds(Span.Link, trace_id=st.binary(max_size=16), span_id=st.binary(max_size=8), attributes=attributes)
spans = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16) | st.binary(max_size=17),
    span_id=st.binary(min_size=8, max_size=8),
    parent_span_id=st.binary(max_size=8),
    trace_state=texts,
    name=texts,
    kind=st.integers(-1, 7),
    start_time_unix_nano=moments,
    end_time_unix_nano=moments,
    attributes=attributes,
    events=st.lists(events, max_size=2),
    links=st.lists(links, max_size=2),
    status=st.builds(Status, code=st.integers(-1, 4), message=texts),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    request = ExportTraceServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        resource_spans = request.resource_spans.add()
        resource_spans.resource.attributes.extend(draw(attributes))
        for _ in range(draw(st.integers(0, 2))):
            scope_spans = resource_spans.scope_spans.add(spans=draw(st.lists(spans, max_size=3)))
            scope_spans.scope.name = draw(texts)
    return request.SerializeToString()


def stored(store: Store, tenant: str) -> list[str]:
    """Every row of a tenant as JSON: so NaN equals itself, and no time is out of Python's range."""
    sort = {
        "SpanAttributes": "mapSort(SpanAttributes)",
        "ResourceAttributes": "mapSort(ResourceAttributes)",
        "Events.Attributes": "arrayMap(each -> mapSort(each), `Events.Attributes`)",
        "Links.Attributes": "arrayMap(each -> mapSort(each), `Links.Attributes`)",
    }
    cells = [sort.get(column, f"`{column}`") for column in rows.COLUMNS if column != "Tenant"]
    sql = f"SELECT formatRowNoNewline('JSONEachRow', {', '.join(cells)}) AS line FROM otel_traces"
    return sorted(row["line"] for row in store.query(f"{sql} WHERE Tenant = {{tenant:String}}", tenant=tenant))


SEARCH = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # A failing batch is small, and shrinking it takes minutes.
)


@SEARCH
@given(st.lists(requests(), min_size=1, max_size=3))
def test_the_engine_reads_what_python_reads(store: Store, received: list[bytes]):
    bodies = [decode.accept(body, now=NOW, flatten=True).body for body in received]
    number = next(_numbers)
    engine, python = f"engine {number}", f"python {number}"
    store.insert_spans(bodies, tenant=engine, token=engine)
    store.insert("otel_traces", rows.COLUMNS, rows.columns(bodies, tenant=python), token=python)
    assert stored(store, engine) == stored(store, python)


def test_plain_spans_are_read_by_the_engine(store: Store):
    flags = ArrayValue(values=[AnyValue(string_value="a/b"), AnyValue(int_value=2), AnyValue(double_value=0.5)])
    span = Span(trace_id=b"t" * 16, span_id=b"s" * 8, start_time_unix_nano=NOW, end_time_unix_nano=NOW + 5)
    span.attributes.add(key="flags", value=AnyValue(array_value=flags))
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add(spans=[span])
    accepted = decode.accept(request.SerializeToString(), now=NOW)
    assert store.insert_spans([accepted.body], tenant="acme", token="one")
    assert store.query("SELECT Tenant, SpanAttributes, Duration FROM otel_traces") == [
        {"Tenant": "acme", "SpanAttributes": {"flags": '["a/b",2,0.5]'}, "Duration": 5}
    ]


def test_a_request_cannot_name_its_tenant(store: Store):
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add(spans=[Span(name="chat")])
    tenant_of_an_envelope = b"\x12\x06victim"
    assert store.insert_spans([request.SerializeToString() + tenant_of_an_envelope], tenant="acme", token="one")
    assert store.query("SELECT Tenant FROM otel_traces") == [{"Tenant": "acme"}]


@given(st.floats())
def test_numbers_read_back_as_themselves(number: float):
    assert repr(float(values.number(number))) == repr(number)


@SEARCH
@given(st.lists(st.floats(), max_size=50), st.lists(texts, max_size=20))
def test_numbers_and_quotes_are_written_as_clickhouse_writes_them(
    store: Store, numbers: list[float], strings: list[str]
):
    found = store.query(
        "SELECT arrayMap(n -> toString(n), {numbers:Array(Float64)}) AS numbers,"
        " arrayMap(s -> toJSONString(s), {strings:Array(String)}) AS strings"
        " SETTINGS output_format_json_escape_forward_slashes = 0",
        numbers=numbers,
        strings=strings,
    )
    written = [values.to_json(AnyValue(string_value=string)) for string in strings]
    assert found == [{"numbers": [values.number(number) for number in numbers], "strings": written}]
