"""The doctor names what keeps figures from being right, and is silent where all is well."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import openai._base_client
import pytest
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased

import tokentrace
from tokentrace import guard
from tokentrace.delivery.counts import LOSSES


@pytest.fixture(autouse=True)
def _clean(monkeypatch) -> Iterator[None]:
    import os

    for name in os.environ:
        if name.startswith(("TOKENTRACE_", "OTEL_")):
            monkeypatch.delenv(name)
    guard.failures.clear()
    yield
    tokentrace.uninstrument()
    guard.failures.clear()


def examined(**options):
    """The report on a process that is instrumented with these options, whose spans go nowhere."""
    tokentrace.instrument(**({"exporter": InMemorySpanExporter()} | options))
    return tokentrace.doctor(probe=False)


def things(report):
    return [problem.thing for problem in report.problems]


def test_where_all_is_well_there_is_no_problem():
    assert examined().problems == ()


def test_a_process_that_is_not_instrumented_is_told_how():
    (problem,) = tokentrace.doctor(probe=False).problems
    assert (problem.thing, "tokentrace.instrument()" in problem.remedy) == ("instrumentation", True)


@pytest.mark.parametrize("variable", ["TOKENTRACE_DISABLED", "OTEL_SDK_DISABLED"])
def test_a_switch_that_is_off_is_named(monkeypatch, variable):
    monkeypatch.setenv(variable, "true")
    assert variable in str(examined().problems[0])


def test_a_setting_that_makes_no_sense_is_a_problem_instead_of_an_error(monkeypatch):
    monkeypatch.setenv("TOKENTRACE_QUEUE_SIZE", "many")
    assert "TOKENTRACE_QUEUE_SIZE is 'many'" in str(tokentrace.doctor(probe=False))


def test_a_client_says_its_release_what_was_tested_and_what_is_wrapped():
    import anthropic._base_client

    assert anthropic._base_client
    (library,) = (each for each in examined().libraries if each.name == "anthropic")
    assert (
        library.release == library.tested[-1],
        library.is_newer,
        [(seam.name.partition(":")[2], seam.fit) for seam in library.seams],
    ) == (True, False, [("SyncAPIClient.request", "fitted"), ("AsyncAPIClient.request", "fitted")])


def test_a_client_that_is_not_imported_yet_waits():
    program = """
        import json, tokentrace
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        tokentrace.instrument(exporter=InMemorySpanExporter())
        before = tokentrace.doctor(probe=False)
        import groq
        after = tokentrace.doctor(probe=False)
        print(json.dumps([[s.fit for each in r.libraries if each.name == "groq" for s in each.seams] for r in (before, after)]))
        print(before.problems)
    """
    assert run(program) == '[["waiting", "waiting"], ["fitted", "fitted"]]\n()\n'


def test_a_wrapper_that_somebody_took_away_is_missed(monkeypatch):
    original = vars(openai._base_client.SyncAPIClient)["request"]
    examined()
    monkeypatch.setattr(openai._base_client.SyncAPIClient, "request", original)
    (problem,) = tokentrace.doctor(probe=False).problems
    assert "SyncAPIClient.request was replaced" in problem.value
    monkeypatch.undo()


def test_a_wrapper_around_ours_takes_nothing_away():
    import wrapt

    examined()
    handle = wrapt.wrap_function_wrapper(openai._base_client.SyncAPIClient, "request", _rival)
    report = tokentrace.doctor(probe=False)
    wrapt.unwrap_object(openai._base_client.SyncAPIClient, "request", handle)
    wraps = [each.evidence for each in report.rivals if each.name == _rival.__module__.partition(".")[0]]
    assert (report.problems, wraps) == ((), [(f"wraps the same functions from {_rival.__module__}",)])


def _rival(wrapped, _instance, args, kwargs):
    return wrapped(*args, **kwargs)


def test_a_sampler_matters_where_nobody_delivers_what_it_drops():
    provider = TracerProvider(sampler=TraceIdRatioBased(0.1), shutdown_on_exit=False)
    given = examined(exporter=None, tracer_provider=provider)
    tokentrace.uninstrument()
    delivered = examined(tracer_provider=provider)
    assert (things(given), things(delivered), delivered.pipeline.sampler) == (["sampler"], [], "TraceIdRatioBased{0.1}")


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ParentBased(ALWAYS_ON)])
def test_a_sampler_that_drops_nothing_is_no_problem(sampler):
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    assert things(examined(exporter=None, tracer_provider=provider)) == []


def test_a_limit_that_cuts_counts_is_a_problem():
    limits = SpanLimits(max_span_attributes=20, max_span_attribute_length=64, max_events=2)
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    assert things(examined(tracer_provider=provider)) == [
        "span limit of attributes", "span limit of length", "span limit of events",
    ]  # fmt: skip


def test_who_else_begins_spans_is_seen_by_scope():
    provider = TracerProvider(shutdown_on_exit=False)
    for scope in (
        "langfuse-sdk",
        "opentelemetry.instrumentation.genai.openai",
        "opentelemetry.instrumentation.requests",
    ):
        provider.get_tracer(scope)
    rivals = {each.name: each.evidence for each in examined(tracer_provider=provider).rivals}
    assert {name: rivals.get(name) for name in ("Langfuse", "OpenTelemetry GenAI", "OpenLLMetry")} == {
        "Langfuse": ("scope langfuse-sdk",),
        "OpenTelemetry GenAI": ("scope opentelemetry.instrumentation.genai.openai",),
        "OpenLLMetry": None,
    }


def test_who_else_listens_to_litellm_is_named(monkeypatch):
    import types

    tokentrace.instrument(exporter=InMemorySpanExporter())
    told = types.SimpleNamespace(callbacks=[InMemorySpanExporter()], success_callback=["s3"])
    monkeypatch.setitem(sys.modules, "litellm", told)
    (litellm,) = (each for each in tokentrace.doctor(probe=False).rivals if each.name == "LiteLLM")
    assert [each.rpartition(".")[2] for each in litellm.evidence] == ["InMemorySpanExporter", "callback s3"]


def test_a_client_that_traces_itself_is_named_and_silent():
    import anthropic._tracing

    assert anthropic._tracing
    # Other clients of this process may trace themselves too.
    (rival,) = (each for each in examined().rivals if "anthropic" in str(each))
    assert (rival.name, "stays away" in rival.effect) == ("anthropic itself", True)


def test_settings_say_where_they_come_from_and_keep_their_secrets(monkeypatch):
    monkeypatch.setenv("TOKENTRACE_ENDPOINT", "http://user:secret@127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    tokentrace.instrument(headers={"authorization": "secret"})
    report = tokentrace.doctor(probe=False)
    assert {each.name: (each.value, each.source) for each in report.settings} == {
        "endpoint": ("http://…@127.0.0.1:1/v1/traces", "TOKENTRACE_ENDPOINT"),
        "protocol": ("http/protobuf", "default"),
        "headers": ("authorization=…", "argument"),
        "service_name": ("shop", "OTEL_SERVICE_NAME"),
        "queue_size": ("65536", "default"),
        "spool_size": ("67108864", "default"),
    }
    assert "secret" not in str(report)


def test_spans_that_were_dropped_are_a_problem():
    assert set(examined().counts.values()) == {0}
    for reason in LOSSES:
        setattr(tokentrace.session.current().delivery.counts, reason, 3)
    told = [each for each in tokentrace.doctor(probe=False).problems if each.thing == "spans"]
    assert len(told) == len(LOSSES)
    assert all(each.value.startswith("3 ") for each in told)


def test_a_failure_of_ours_is_counted_and_told():
    with guard.quietly("describing a call"):
        raise RuntimeError
    assert "It failed 1 times while describing a call" in str(examined())


def test_a_part_that_cannot_be_examined_hides_no_other(monkeypatch):
    from tokentrace.diagnosis import pipeline

    monkeypatch.setattr(pipeline, "found", lambda _session: 1 / 0)
    report = examined()
    assert ("ZeroDivisionError" in str(report), things(report), bool(report.libraries)) == (True, ["tracing"], True)


def test_the_text_has_a_line_for_each_finding_and_says_what_failed():
    lines = str(tokentrace.doctor(probe=False)).splitlines()
    assert (lines[0].startswith("ok"), lines[-1].startswith("FAILED  instrumentation")) == (True, True)


def test_who_does_not_ask_pays_nothing():
    program = """
        import sys, tokentrace
        tokentrace.instrument()
        print([name for name in sys.modules if name.startswith("tokentrace.diagnosis")])
    """
    assert run(program) == "[]\n"


def test_an_environment_is_examined_with_every_client_really_imported():
    answer = subprocess.run(
        [sys.executable, "-m", "tokentrace.diagnosis"], capture_output=True, text=True, check=True,
        env=_environment() | {"TOKENTRACE_ENDPOINT": "http://127.0.0.1:1"},
    )  # fmt: skip
    report = json.loads(answer.stdout)
    fits = {library["name"]: {seam["fit"] for seam in library["seams"]} for library in report["libraries"]}
    assert {name: fits[name] for name in ("openai", "anthropic", "google-genai")} == {
        "openai": {"fitted"}, "anthropic": {"fitted"}, "google-genai": {"fitted"},
    }  # fmt: skip
    assert [problem["thing"] for problem in report["problems"]] == ["endpoint"]


def run(program: str) -> str:
    """What a program prints."""
    import textwrap

    command = [sys.executable, "-c", textwrap.dedent(program)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=_environment()).stdout


def _environment() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith(("TOKENTRACE_", "OTEL_"))}
