"""What other instrumentations export, in each dialect: from OTLP as it is sent to calls as they are counted."""

from pathlib import Path

import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector import files
from tokentrace_collector.otlp import decode
from tokentrace_collector.reports import answers
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store import dialects, schema
from tokentrace_collector.store.database import Store
from tokentrace_collector.tenants import Books

NOW = 1_767_225_600_000_000_000
VECTORS = yaml.safe_load(Path(__file__).with_name("dialects.yaml").read_text())
READ = """
SELECT
    convention, scope, provider, finish_reasons, adjustments, tokens, activity, operation, session, user, flags,
    arraySum(mapValues(mapFilter((bucket, count) -> NOT startsWith(bucket, 'output_'), tokens))) AS input,
    arraySum(mapValues(mapFilter((bucket, count) -> startsWith(bucket, 'output_'), tokens))) AS output
FROM llm_calls FINAL
ORDER BY span_id
"""


def value(said):
    """As an exporter writes it."""
    kind = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}[type(said)]
    return AnyValue(**{kind: said})


def export(store: Store, *spans):
    """Send spans as OTLP: each its library, name and attributes."""
    request = ExportTraceServiceRequest()
    for number, (library, name, said) in enumerate(spans, 1):
        scoped = request.resource_spans.add().scope_spans.add()
        scoped.scope.name = library
        span = Span(
            trace_id=number.to_bytes(16),
            span_id=number.to_bytes(8),
            name=name,
            start_time_unix_nano=NOW,
            end_time_unix_nano=NOW + 5,
        )
        for key, told in said.items():
            span.attributes.add(key=key, value=value(told))
        scoped.spans.append(span)
    accepted = decode.accept(request.SerializeToString(), now=NOW)
    assert store.insert_spans([accepted.body], tenant="default", token="one")


@pytest.fixture(scope="module")
def read(fresh_ledger):
    """What is read of each vector, sent together."""
    ledger = fresh_ledger()
    export(ledger.store, *[(each["library"], each["name"], each["said"]) for each in VECTORS])
    found = ledger.store.query(READ)
    return {vector["id"]: row for vector, row in zip(VECTORS, found, strict=True)}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["id"])
def test_a_span_is_read_as_its_dialect_means_it(read, vector):
    row = read[vector["id"]]
    tokens = row["tokens"]
    total = [row["input"], row["output"]] if tokens else [None, None]
    parts = [tokens.get(bucket) for bucket in ("output_reasoning", "cache_read", "cache_write_unknown")]
    told = {"counts": total + parts} | {name: row[name] for name in vector if name in row and name != "counts"}
    assert told == {name: vector[name] for name in told}


@pytest.mark.parametrize("name", sorted({each.name for each in dialects.dialects()}))
def test_every_dialect_has_a_vector(name):
    assert name in {each["convention"] for each in VECTORS}


def test_spans_of_ours_are_of_no_dialect(store: Store):
    """Whatever of other dialects they say."""
    said = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 7, "tokentrace.usage.input_text": 3}
    export(store, ("tokentrace", "chat", said))
    (row,) = store.query(READ)
    assert (row["convention"], row["scope"], row["tokens"], row["adjustments"]) == ("", "call", {"input_text": 3}, [])


def test_kinds_of_spans_name_the_operation_and_the_activity(store: Store):
    export(
        store,
        ("openinference.instrumentation.x", "embed", {"openinference.span.kind": "EMBEDDING"}),
        ("ai", "ai.embed.doEmbed", {"ai.operationId": "ai.embed.doEmbed"}),
        ("com.anthropic.claude_code.tracing", "claude_code.tool", {"span.type": "tool"}),
        ("gemini-cli", "agent_call", {"gen_ai.operation.name": "agent_call"}),
    )
    assert [(row["operation"], row["activity"]) for row in store.query(READ)] == [
        ("embeddings", ""),
        ("embeddings", ""),
        ("", "tool"),
        ("invoke_agent", "agent"),
    ]


def test_who_it_was_for_is_read_where_the_dialect_says_it(store: Store):
    export(
        store,
        ("opentelemetry.instrumentation.x", "a", {"traceloop.association.properties.user_id": "ann", "traceloop.association.properties.session_id": "s1"}),
        ("gen_ai", "b", {"gen_ai.operation.name": "chat", "ai.telemetry.metadata.userId": "ben", "gen_ai.conversation.id": "s2"}),
    )  # fmt: skip
    assert [(row["user"], row["session"]) for row in store.query(READ)] == [("ann", "s1"), ("ben", "s2")]


@pytest.mark.parametrize("count", ["-5", "many", "1.5", "99999999999999999999999"])
def test_what_is_no_count_is_absent(store: Store, count):
    export(store, ("openinference.instrumentation.x", "a", {"openinference.span.kind": "LLM", "llm.token_count.prompt": count, "llm.token_count.completion": 5}))  # fmt: skip
    (row,) = store.query(READ)
    assert row["tokens"] == {"output_text": 5}


def test_calls_and_what_repeats_them_are_counted_once(fresh_ledger):
    """A trace of Vercel's three levels costs what its one call costs."""
    ledger = fresh_ledger()
    usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 0, "gen_ai.response.model": "gpt-6-sol"}
    for span, parent, operation in (("a", "", "invoke_agent"), ("s", "a", "agent_step"), ("c", "s", "chat")):
        said = usage | {"gen_ai.operation.name": operation, "gen_ai.provider.name": "openai"}
        ledger.span("t", span, parent, library="gen_ai", said=said, seconds=3)
    ledger.tick()
    assert (ledger.trace("t")["calls"], ledger.trace("t")["tokens"]["input_text"]) == (1, 1000)


def test_a_report_says_how_many_of_its_calls_others_tell_of(fresh_ledger):
    ledger = fresh_ledger()
    usage = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 10, "gen_ai.provider.name": "openai"}
    for span, parent, operation in (("a", "", "invoke_agent"), ("c", "a", "chat")):
        said = usage | {"gen_ai.operation.name": operation, "gen_ai.response.model": "gpt-6-sol"}
        ledger.span("t", span, parent, library="gen_ai", said=said, seconds=3)
    ledger.call("t", "ours", "a", at=2, tokens={"input_text": 7, "output_text": 1})
    ledger.tick()
    report = answers.request(Books(ledger.store), "t")
    assert (report["calls"], report["told_by_others"]) == (2, 1)


def test_spans_that_no_dialect_explains_are_counted(store: Store):
    export(
        store,
        ("acme.llm", "ask", {"acme.prompt_tokens": 9}),
        ("openlit.x", "chat", {"gen_ai.provider.name": "anthropic", "gen_ai.usage.input_tokens": 1, "gen_ai.usage.cache_read.input_tokens": 5}),
    )  # fmt: skip
    rollup = Rollup(store)
    assert (rollup.tick().unread, rollup.tick().unread) == (1, 0)
    assert store.query("SELECT * EXCEPT (tenant, day) FROM instrumentations ORDER BY library") == [
        {"library": "acme.llm", "convention": "unknown", "spans": 1, "calls": 0, "adjusted": 0, "inconsistent": 0},
        {"library": "openlit.x", "convention": "openlit", "spans": 1, "calls": 1, "adjusted": 1, "inconsistent": 0},
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"colour": "red"}, "colour"),
        ({"keys": {"smell": ["a"]}}, "unknown keys: smell"),
        ({"where": {"smell": "a"}}, "unknown where: smell"),
        ({"provider": {"smell": "a"}}, "unknown provider: smell"),
        ({"apart": ["smell"]}, "unknown apart: smell"),
        ({"keys": {"input": ["a#b.c.d"]}}, "unknown keys: a#b.c.d"),
        ({"keys": {"input": ["a b"]}}, "unknown keys: a b"),
    ],
)
def test_an_entry_that_is_not_understood_is_refused(tmp_path, monkeypatch, wrong, message):
    said = yaml.safe_load((files.root() / "dialects.yaml").read_text())
    said["dialects"] = [{"name": "acme", "measured": False} | wrong]
    (tmp_path / "dialects.yaml").write_text(yaml.safe_dump(said))
    monkeypatch.setattr(dialects, "root", lambda: tmp_path)
    caches = (dialects.dialects, dialects.conventions, dialects._file)
    for each in caches:
        each.cache_clear()
    try:
        with pytest.raises(dialects.DialectError, match=message):
            dialects.dialects()
    finally:
        for each in caches:
            each.cache_clear()


def test_a_span_of_several_dialects_is_of_the_first_that_it_fits(store: Store):
    """Whichever mark of which is looked at first."""
    said = {"gen_ai.system": "AWS.Bedrock", "gen_ai.usage.input_tokens": 5, "gen_ai.latency.time_in_model_decode": 1}
    resource = {"telemetry.sdk.name": "openlit"}
    export(
        store,
        ("semantic_kernel.x", "llm_request", said),
        ("x", "llm_request", said),
        ("x", "chat", said),
        ("semantic_kernel.x", "chat", said | resource),
        ("openlit.bedrock", "chat", said | {"openinference.span.kind": "LLM"}),
        ("openinference.instrumentation.bedrock", "chat", {"llm.token_count.prompt": 5, "llm.model_name": "Nova"}),
    )
    assert [row["convention"] for row in store.query(READ)] == [
        "semantic_kernel",
        "vllm",
        "gen_ai",
        "openlit",
        "openinference",
        "openinference",
    ]


def test_a_store_from_before_reads_spans_again_in_their_dialects(empty_store: Store):
    """The columns come by migration; what was there is read anew by `renormalise`."""
    schema.apply(empty_store)
    empty_store.run("ALTER TABLE llm_calls DROP COLUMN convention, DROP COLUMN adjustments")
    empty_store.run(
        "ALTER TABLE schema_versions DELETE WHERE name = 'migrations/0007_dialects' SETTINGS mutations_sync = 1"
    )
    schema.apply(empty_store)
    export(empty_store, ("pydantic-ai", "chat", {"gen_ai.usage.input_tokens": 5}))
    assert empty_store.query("SELECT convention, tokens FROM llm_calls") == [
        {"convention": "pydantic_ai", "tokens": {"input_text": 5}}
    ]
