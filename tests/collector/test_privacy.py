"""What is taken out before anything is written: nothing of it is on the disk, and costs stay what they are."""

from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from test_receive import JSON, NOW, Receivers, json_request, json_span

from tokentrace_collector import notation
from tokentrace_collector.config import Config
from tokentrace_collector.journal.entries import Limits
from tokentrace_collector.otlp import privacy
from tokentrace_collector.otlp.privacy import PatternsError, Privacy
from tokentrace_collector.serve import Collector
from tokentrace_collector.store import dialects

SECRET = "hunter2"
PATTERNS = privacy.parse("version: 1\npatterns:\n  - {name: password, pattern: 'hunter\\d'}\n")
REDACTING = Privacy(patterns=PATTERNS)
DROPPING = Privacy(drops_content=True)


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest):
    receivers = Receivers(tmp_path, Limits(), privacy=request.param)
    yield receivers
    receivers.close()


def span(request: ExportTraceServiceRequest, **more: Any) -> Any:
    times = {"start_time_unix_nano": NOW, "end_time_unix_nano": NOW + 1}
    scope = request.resource_spans.add().scope_spans.add()
    return scope.spans.add(**{"trace_id": b"t" * 16, "span_id": b"s" * 8, "name": "chat"} | times | more)


def everywhere() -> ExportTraceServiceRequest:
    """A span with a secret wherever a text may stand."""
    request = ExportTraceServiceRequest()
    made = span(request, name=f"chat {SECRET}", trace_state=f"a={SECRET}")
    request.resource_spans[0].resource.attributes.add(key="host.name").value.string_value = SECRET
    request.resource_spans[0].scope_spans[0].scope.attributes.add(key="scope").value.string_value = SECRET
    made.status.message = f"no {SECRET}"
    made.attributes.add(key="text").value.string_value = f"my {SECRET}!"
    made.attributes.add(key="bytes").value.bytes_value = b"\xff" + SECRET.encode()
    deep = made.attributes.add(key="deep").value.array_value.values.add().kvlist_value.values.add(key="in")
    deep.value.array_value.values.add().string_value = SECRET
    made.events.add(time_unix_nano=NOW, name=SECRET).attributes.add(key="said").value.string_value = SECRET
    made.links.add(trace_id=b"t" * 16, span_id=b"l" * 8).attributes.add(key="said").value.string_value = SECRET
    return request


def content() -> ExportTraceServiceRequest:
    """A call whose messages stand wherever conventions put them."""
    request = ExportTraceServiceRequest()
    made = span(request)
    for key in (
        "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.prompt.0.content",
        "gen_ai.completion", "llm.input_messages.0.message.content", "input.value", "output.value",
        "traceloop.entity.input", "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "ai.prompt.messages",
        "langfuse.observation.output",
    ):  # fmt: skip
        made.attributes.add(key=key).value.string_value = SECRET
    made.events.add(time_unix_nano=NOW, name="gen_ai.user.message").attributes.add(
        key="content"
    ).value.string_value = SECRET
    made.events.add(time_unix_nano=NOW, name="exception").attributes.add(
        key="gen_ai.prompt"
    ).value.string_value = SECRET
    return request


def log() -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(trace_id=b"t" * 16, time_unix_nano=NOW)
    record.body.kvlist_value.values.add(key="tokentrace.reject.reason").value.string_value = f"it says {SECRET}"
    return request.SerializeToString()


def on_disk(receivers: Receivers, directory: Path) -> bytes:
    """All that was written, dead letters as they would be read."""
    letters = [letter.content for letter in receivers.dead_letters.read()]
    return b"".join([*(path.read_bytes() for path in directory.rglob("*") if path.is_file()), *letters])


@pytest.mark.parametrize("made", [REDACTING], indirect=True)
@pytest.mark.parametrize("way", ["protobuf", "json", "grpc"])
def test_what_patterns_find_is_nowhere_on_the_disk(made: Receivers, tmp_path: Path, way: str):
    body = everywhere().SerializeToString()
    if way == "protobuf":
        assert made.post(body).status == 200
    elif way == "grpc":
        made.export(body)
    else:
        told = json_span(name=SECRET, attributes=[{"key": "text", "value": {"stringValue": f"my {SECRET}"}}])
        assert made.post(json_request(told), JSON).status == 200
    written = on_disk(made, tmp_path)
    assert (SECRET.encode() in written, b"[password]" in written) == (False, True)


@pytest.mark.parametrize("made", [REDACTING], indirect=True)
def test_nor_is_it_where_a_span_cannot_be_stored(made: Receivers, tmp_path: Path):
    homeless, broken = ExportTraceServiceRequest(), ExportTraceServiceRequest()
    span(homeless, trace_id=b"short", name=f"homeless {SECRET}")
    span(broken, name=f"broken {SECRET} XX")
    body = (homeless.SerializeToString() + broken.SerializeToString()).replace(b"XX", b"\xff\xff")
    made.post(body)
    made.post(json_request(json_span(name=f"broken {SECRET}", kind=SECRET)), JSON)
    written = on_disk(made, tmp_path)
    assert (SECRET.encode() in written, b"homeless [password]" in written, b"broken" in written) == (False, True, False)
    assert made.counters.snapshot()["spans_rejected"] == 3


@pytest.mark.parametrize("made", [REDACTING], indirect=True)
def test_nor_is_what_came_in_the_body_of_a_log(made: Receivers, tmp_path: Path):
    assert made.post(log(), path="/v1/logs").status == 200
    written = on_disk(made, tmp_path)
    assert (SECRET.encode() in written, b"it says [password]" in written) == (False, True)


@pytest.mark.parametrize("made", [DROPPING], indirect=True)
def test_messages_are_nowhere_on_the_disk(made: Receivers, tmp_path: Path):
    assert made.post(content().SerializeToString()).status == 200
    assert SECRET.encode() not in on_disk(made, tmp_path)
    assert made.names() == ["chat"]


@pytest.mark.parametrize("made", [Privacy(drops_content=True, patterns=privacy.parse(
    "version: 1\npatterns:\n  - {name: everything, pattern: '.+'}\n"
))], indirect=True)  # fmt: skip
def test_what_costs_are_found_by_stays(made: Receivers):
    request = ExportTraceServiceRequest()
    called = span(request)
    said = {
        "gen_ai.provider.name": "openai", "gen_ai.response.model": "gpt-5", "gen_ai.response.id": "resp_1",
        "gen_ai.usage.input_tokens": "10", "tokentrace.usage.input_text": "10", "tokentrace.meter.web_search": "1",
        "tokentrace.cost.reported": "0.1", "tokentrace.billing.service_tier": "flex",
    }  # fmt: skip
    for key, value in said.items():
        called.attributes.add(key=key).value.string_value = value
    made.post(request.SerializeToString())
    (entry,) = made.journal.claim().entries
    (kept,) = ExportTraceServiceRequest.FromString(entry.body).resource_spans[0].scope_spans[0].spans
    assert {pair.key: pair.value.string_value for pair in kept.attributes} == said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is nothing in it. Write `version: 1` and `patterns:`."),
        ("version: 2\npatterns: []", "Line 1: The version '2' is not known. Write 1."),
        ("version: 1\npatterns:\n  - {name: a, pattern: '('}", "Line 3: '(' is no regular expression: "),
        ("version: 1\npatterns:\n  - {name: a, pattern: 'b*'}", "Line 3: 'b*' finds nothing at all everywhere. Let it"),
        ("version: 1\npatterns:\n  - {name: a}", "Line 3: The entry 'pattern' is missing."),
    ],
)
def test_patterns_that_make_no_sense_are_refused_with_line_and_remedy(text: str, told: str):
    with pytest.raises(notation.NotationError) as raised:
        privacy.parse(text)
    assert str(raised.value).startswith(told)


def test_a_collector_does_not_start_without_its_patterns(tmp_path: Path):
    with pytest.raises(PatternsError, match="cannot be read"):
        Collector(Config(store=f"chdb://{tmp_path}", redact=tmp_path / "none.yaml"))


def counted() -> set[str]:
    """What is read of a call in any dialect, but for whose it was."""
    keys: set[str] = set()
    for meanings in (dialects.conventions(), *(each.keys for each in dialects.dialects())):
        keys |= {key for meaning, named in meanings.items() if meaning not in {"user", "session"} for key in named}
    return {key.partition("#")[0].removeprefix("repr(").removesuffix(")") for key in keys}


@pytest.mark.parametrize("key", sorted(counted()))
def test_no_dialect_loses_what_its_costs_are_found_by(key):
    request = ExportTraceServiceRequest()
    made = span(request)
    made.attributes.add(key=key).value.string_value = SECRET
    for taking in (REDACTING, DROPPING):
        taking.clean(request)
    assert [(pair.key, pair.value.string_value) for pair in made.attributes] == [(key, SECRET)]
