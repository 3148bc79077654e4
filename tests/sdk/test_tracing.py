"""Whose provider our spans go through, and that no sampler loses money."""

from __future__ import annotations

import contextvars
import gc
import threading
import time
import weakref

import pytest
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

import tokentrace
from tokentrace.context import attribution, role


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


def around(span):
    """Our span around another one, as that tells it."""
    return span.attributes.get("tokentrace.parent.span_id")


def hexadecimal(span):
    return format(ids(span)[1], "016x")


@pytest.mark.parametrize("sampler", [None, ParentBased(ALWAYS_OFF)], ids=["sampled", "not sampled"])
def test_what_is_below_a_span_of_somebody_else_tells_which_of_ours_is_around(delivered, sampler):
    tracer, _ = application(sampler)
    between = tracer.start_as_current_span
    with between("request"), tokentrace.step("outer"), between("one"), between("two"), tokentrace.step("inner"):
        pass
    inner, outer = (span for span in delivered() if span.name != "request")
    assert (around(inner), around(outer)) == (hexadecimal(outer), None)


def test_what_is_directly_below_one_of_ours_tells_its_parent_alone(delivered):
    tracer, _ = application()
    with tracer.start_as_current_span("request"), tokentrace.step("outer"), tokentrace.step("inner"):
        pass
    assert [around(span) for span in delivered()] == [None, None, None]


def test_what_has_left_a_section_is_below_the_one_around_it(delivered):
    tracer, _ = application()
    with tokentrace.step("outer"):
        with tokentrace.step("over"):
            pass
        with tracer.start_as_current_span("between"), tokentrace.step("inner"):
            pass
    _, inner, outer = delivered()
    assert around(inner) == hexadecimal(outer)


def test_who_begins_a_new_trace_begins_a_new_request(delivered):
    tracer, _ = application()
    with tokentrace.step("worker"), tracer.start_as_current_span("job", context=Context()), tokentrace.step("inner"):
        pass
    inner, job, worker = delivered()
    assert (around(inner), inner.context.trace_id) == (None, job.context.trace_id)
    assert worker.context.trace_id != job.context.trace_id


@pytest.mark.parametrize("sampler", [None, ALWAYS_OFF])
def test_a_span_that_nobody_records_begins_no_other_request(delivered, sampler):
    """As of a library whose tracing has no provider: it is current, and has no id."""
    application(sampler)
    nobodys = trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT)
    with tokentrace.step("outer"), trace.use_span(nobodys), tokentrace.step("inner"):
        pass
    inner, outer = delivered()
    assert (inner.name, inner.parent.span_id, inner.context.trace_id) == (
        "inner",
        outer.context.span_id,
        outer.context.trace_id,
    )


def test_a_span_that_cannot_see_ours_begins_no_other_request(delivered):
    tracer, _ = application(ALWAYS_OFF)
    with tokentrace.step("outer"), tracer.start_as_current_span("between"), tokentrace.step("inner"):
        pass
    inner, outer = delivered()
    assert (inner.parent.span_id, inner.context.trace_id) == (ids(outer)[1], ids(outer)[0])


def test_a_carried_function_tells_which_of_ours_is_around(delivered):
    tracer, _ = application()

    def inner():
        with tokentrace.step("inner"):
            pass

    with tokentrace.step("outer"), tracer.start_as_current_span("between"):
        thread = threading.Thread(target=tokentrace.carry(inner))
        thread.start()
        thread.join()
    told, outer = delivered()
    assert around(told) == hexadecimal(outer)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_every_span_is_delivered_once_at_any_sampling_ratio(delivered, ratio):
    application(ParentBased(TraceIdRatioBased(ratio)))
    for _ in range(200):
        with tokentrace.step("s"):
            pass
    spans = delivered()
    assert len({span.context.span_id for span in spans}) == len(spans) == 200


def test_a_sampler_does_not_tear_a_request_apart(delivered):
    application(ParentBased(TraceIdRatioBased(0.5)))
    for _ in range(50):
        with tokentrace.step("outer"), tokentrace.step("inner"):
            pass
    spans = delivered()
    outers = {span.context.span_id: span.context.trace_id for span in spans if span.name == "outer"}
    inners = {span.parent and span.parent.span_id: span.context.trace_id for span in spans if span.name == "inner"}
    assert (len(outers), inners) == (50, outers)


def test_what_is_not_sampled_is_still_of_the_applications_service(delivered):
    trace.set_tracer_provider(
        TracerProvider(sampler=ALWAYS_OFF, resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
    )
    with tokentrace.step("s"):
        pass
    assert [dict(span.resource.attributes) for span in delivered()] == [{"service.name": "shop"}]


def test_what_is_not_sampled_is_not_cut_by_limits_either(monkeypatch, request):
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "1")
    delivered = request.getfixturevalue("delivered")
    application(ALWAYS_OFF)
    with tokentrace.tags(team="a", feature="b", customer="c"), tokentrace.step("s"):
        pass
    assert [len(span.attributes) for span in delivered()] == [5]


def test_first_spans_of_several_threads_are_delivered_once(delivered):
    class Slow(TracerProvider):
        def add_span_processor(self, span_processor):
            time.sleep(0.05)
            super().add_span_processor(span_processor)

    trace.set_tracer_provider(Slow(shutdown_on_exit=False))
    together = threading.Barrier(4)

    def work():
        together.wait()
        with tokentrace.step("s"):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(delivered()) == 4


def test_a_provider_of_another_kind_is_left_alone_and_its_span_is_the_parent(delivered):
    theirs = trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))

    class Foreign(trace.TracerProvider):
        def get_tracer(self, *args, **kwargs):
            raise AssertionError

    trace.set_tracer_provider(Foreign())
    with trace.use_span(theirs), tokentrace.step("outer"), tokentrace.step("inner"):
        assert trace.get_current_span() is theirs
    inner, outer = delivered()
    assert (ids(inner)[0], inner.parent.span_id, outer.parent.span_id) == (1, ids(outer)[1], 2)


def test_a_processor_that_fails_does_not_reach_the_application(spans, monkeypatch):
    class Failing(SpanProcessor):
        def on_end(self, span):
            raise RuntimeError

    monkeypatch.delenv("TOKENTRACE_STRICT")
    spans.provider.add_span_processor(Failing())
    assert ask(lambda _: None) == 1


class Looking(SpanProcessor):
    """Notes what is known of a span when it starts."""

    def __init__(self):
        self.found = []

    def on_start(self, span, parent_context=None):
        self.found.append(dict(span.attributes))


def test_a_processor_finds_what_is_known_when_a_span_starts_whenever_it_is_added(delivered):
    application()
    with tokentrace.step("unseen"):
        pass
    looking = Looking()
    trace.get_tracer_provider().add_span_processor(looking)
    with tokentrace.step("seen"):
        pass
    assert [each["tokentrace.step.name"] for each in looking.found] == ["seen"]
    assert [span.attributes["tokentrace.step.name"] for span in delivered()] == ["unseen", "seen"]


def test_a_sampler_is_asked_with_what_is_known_when_a_span_starts(delivered):
    asked = []

    class Asking(Sampler):
        def should_sample(self, parent_context, trace_id, name, **told):
            asked.append(told["attributes"]["tokentrace.step.name"])
            return ALWAYS_ON.should_sample(parent_context, trace_id, name, **told)

        def get_description(self):
            return "Asking"

    application(ParentBased(Asking()))
    with tokentrace.step("outer"):
        pass
    assert asked == ["outer"]


def test_whoever_has_patched_the_spans_sees_what_is_set(monkeypatch, spans):
    seen = {}

    def set_attributes(self, attributes):
        seen.update(attributes)
        genuine(self, attributes)

    genuine = Span.set_attributes
    monkeypatch.setattr(Span, "set_attributes", set_attributes)
    ask()
    assert seen["gen_ai.usage.output_tokens"] == 1
    assert seen.items() <= spans.only().items()


def test_a_call_in_a_hook_of_the_client_leaves_the_call_its_cost(spans):
    assert ask(lambda _: ask()) == 1
    assert [span.attributes["tokentrace.usage.scope"] for span in spans.ours()] == ["call", "call"]


def test_a_client_that_sends_by_itself_is_not_said_to_be_free(spans):
    import httpx2

    class Own(httpx2.Client):
        def send(self, request, **options):
            return httpx2.Response(200, json=ANSWER, request=request)

    ask(client=Own())
    found = spans.only()
    assert (found["gen_ai.usage.output_tokens"], found["tokentrace.usage.billable"]) == (1, "unknown")


def test_a_stream_that_we_cannot_read_passes_and_says_so_once(monkeypatch, spans, caplog):
    import httpx2
    import openai

    class Body(httpx2.SyncByteStream):
        def __iter__(self):
            # Deeper than Python's parser goes: what no provider sends, and no wire format expects.
            for _ in range(3):
                yield b'data: {"id": "x", "model": "m", "choices": [], "usage": {"a": ' + b"[" * 100_000 + b"\n\n"
            yield b"data: [DONE]\n\n"

    def respond(request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body())

    monkeypatch.delenv("TOKENTRACE_STRICT")
    client = openai.OpenAI(api_key="-", http_client=httpx2.Client(transport=httpx2.MockTransport(respond)))
    with client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as response:
        assert len(list(response.iter_lines())) == 8
    assert [record.message for record in caplog.records if record.name == "tokentrace"] == [
        "tokentrace failed while reading a stream; the application is not affected"
    ]


def test_an_answer_is_not_kept_beyond_its_call(spans):
    import httpx2

    answers, contexts = [], []

    def respond(request):
        # As an event loop does with the context in which it opens a connection.
        contexts.append(contextvars.copy_context())
        response = httpx2.Response(200, json=ANSWER)
        answers.append(weakref.ref(response))
        return response

    with httpx2.Client(transport=httpx2.MockTransport(respond)) as client:
        ask(client=client)
        kept = weakref.ref(client)
    del client
    gc.collect()
    assert (answers[0](), kept(), len(contexts)) == (None, None, 1)


ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "choices": [],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


def ask(*hooks, client=None):
    """Makes a call; the output tokens that the application sees."""
    import httpx2
    import openai

    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    client = client or httpx2.Client(transport=transport, event_hooks={"request": list(hooks)})
    asked = openai.OpenAI(api_key="-", http_client=client, max_retries=0)
    return asked.chat.completions.create(model="m", messages=[]).usage.completion_tokens


def test_nothing_of_ours_stays_in_the_context(delivered):
    application(ParentBased(ALWAYS_OFF))
    before = context.get_current(), attribution.get(), role.get()
    with tokentrace.tags(team="a"), tokentrace.step("plan", role="plan"):
        assert (context.get_current(), attribution.get(), role.get()) != before
    assert (context.get_current(), attribution.get(), role.get()) == before


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
