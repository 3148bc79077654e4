"""Whose provider our spans go through, and that no sampler loses money."""

from __future__ import annotations

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, TraceIdRatioBased

import tokentrace


@pytest.fixture
def delivered(monkeypatch):
    """What tokentrace delivers, while an application's global provider comes and goes."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", type(trace._TRACER_PROVIDER_SET_ONCE)())
    tokentrace.instrument(exporter=exporter)

    def names_and_parents():
        assert tokentrace.flush(10)
        return exporter.get_finished_spans()

    yield names_and_parents
    tokentrace.uninstrument()


def application(sampler=None):
    """The application's own provider, set as the global one, and what it exports itself."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(**({"sampler": sampler} if sampler else {}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider.get_tracer("application"), exporter


def ids(span):
    return span.get_span_context().trace_id, span.get_span_context().span_id


def test_without_a_provider_spans_are_delivered_all_the_same(delivered):
    with tokentrace.step("outer"), tokentrace.step("inner"):
        pass
    inner, outer = delivered()
    assert (inner.name, inner.parent.span_id) == ("inner", outer.context.span_id)


def test_a_provider_that_comes_later_is_used(delivered):
    with tokentrace.step("before"):
        pass
    _, exported = application()
    with tokentrace.step("after"):
        pass
    assert [span.name for span in exported.get_finished_spans()] == ["after"]
    assert [span.name for span in delivered()] == ["before", "after"]


def test_the_root_of_the_request_is_delivered_and_the_rest_of_the_application_is_not(delivered):
    tracer, _ = application()
    with tracer.start_as_current_span("GET /answer"), tracer.start_as_current_span("database"), tokentrace.step("plan"):
        pass
    assert [span.name for span in delivered()] == ["plan", "GET /answer"]


def test_a_root_that_holds_a_prompt_stays_at_home(delivered):
    tracer, _ = application()
    with tracer.start_as_current_span("chat", attributes={"gen_ai.input.messages": "secret"}):
        pass
    assert delivered() == ()


def test_what_is_not_sampled_is_delivered_in_the_same_trace(delivered):
    tracer, exported = application(ParentBased(ALWAYS_OFF))
    with tracer.start_as_current_span("request") as request, tokentrace.step("plan"), tokentrace.step("look up"):
        pass
    inner, outer = delivered()
    assert {span.context.trace_id for span in (inner, outer)} == {ids(request)[0]}
    assert (outer.parent.span_id, inner.parent.span_id) == (ids(request)[1], outer.context.span_id)
    assert exported.get_finished_spans() == ()


def test_our_unsampled_spans_leave_the_applications_sampling_as_it_was(delivered):
    tracer, exported = application(ParentBased(ALWAYS_OFF))
    with tracer.start_as_current_span("request") as request, tokentrace.step("plan"):
        assert trace.get_current_span() is request
        with tracer.start_as_current_span("database"):
            pass
    assert exported.get_finished_spans() == ()
    assert [span.name for span in delivered()] == ["plan"]


def test_an_applications_own_span_in_between_is_the_parent_again(delivered):
    tracer, _ = application(ParentBased(ALWAYS_OFF))
    request, between = tracer.start_as_current_span("request"), tracer.start_as_current_span("between")
    with request, tokentrace.step("outer"), between as between_span, tokentrace.step("inner"):
        pass
    inner, outer = delivered()
    assert inner.parent.span_id == ids(between_span)[1]
    assert inner.context.trace_id == outer.context.trace_id


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_every_span_is_delivered_once_at_any_sampling_ratio(delivered, ratio):
    application(ParentBased(TraceIdRatioBased(ratio)))
    for _ in range(200):
        with tokentrace.step("s"):
            pass
    spans = delivered()
    assert len({span.context.span_id for span in spans}) == len(spans) == 200


def test_nothing_of_ours_stays_in_the_context(delivered):
    application(ParentBased(ALWAYS_OFF))
    before = context.get_current()
    with tokentrace.tags(team="a"), tokentrace.step("plan", role="plan"):
        pass
    assert context.get_current() == before


def test_after_uninstrument_the_applications_provider_delivers_nothing_of_ours(delivered):
    tracer, exported = application()
    with tokentrace.step("counted"):
        pass
    assert len(delivered()) == 1
    tokentrace.uninstrument()
    with tokentrace.step("not counted"):
        pass
    with tracer.start_as_current_span("root"):
        pass
    assert [span.name for span in exported.get_finished_spans()] == ["counted", "root"]


def test_a_stream_that_is_dropped_unread_ends_at_once_not_at_the_next_collection(spans):
    import gc

    import anthropic
    import httpx2

    class Body(httpx2.SyncByteStream):
        def __iter__(self):
            yield b""

    def respond(request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    client = anthropic.Anthropic(api_key="-", http_client=httpx2.Client(transport=httpx2.MockTransport(respond)))
    gc.disable()
    try:
        client.messages.create(
            model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "2+2?"}], stream=True
        )
        assert spans.only()["tokentrace.stream.end"] == "unread"
    finally:
        gc.enable()
