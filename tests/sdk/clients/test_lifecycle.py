"""What holds for every client beyond the shape of a single call."""

from __future__ import annotations

import functools
import importlib
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import wrapt
from opentelemetry import trace
from shapes import anthropic_messages, openai_chat
from shapes.provider import Provider, lost, refused, reply, stream
from shapes.shape import SYNC, ask, run
from shapes.surfaces import every_surface

import tokentrace

MODULES = (
    "openai._base_client",
    "anthropic._base_client",
    "google.genai.models",
    "google.genai._api_client",
    "httpx._client",
    "httpx2._client",
)

NAMES = {
    "openai chat": "chat gpt-5.6",
    "openai responses": "chat gpt-5.6",
    "anthropic messages": "chat claude-opus-5",
    "google-genai": "generate_content gemini-3.8-flash",
}
IDENTITY = {
    "openai chat": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.6",
        "gen_ai.response.model": "gpt-5.6-2026-08-01",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "server.address": "api.openai.com",
    },
    "openai responses": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5.6",
        "gen_ai.response.model": "gpt-5.6-2026-08-01",
        "gen_ai.response.id": "resp_1",
        "gen_ai.response.finish_reasons": ("completed",),
        "server.address": "api.openai.com",
    },
    "anthropic messages": {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "claude-opus-5",
        "gen_ai.response.model": "claude-opus-5-20260901",
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "server.address": "api.anthropic.com",
    },
    "google-genai": {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "gemini-3.8-flash",
        "gen_ai.response.model": "gemini-3.8-flash-001",
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": ("STOP",),
        "server.address": "generativelanguage.googleapis.com",
    },
}


def wrapped() -> list[str]:
    """Every function of a client library that is not its own any more."""
    found = []
    for name in MODULES:
        if name not in sys.modules:
            continue
        module = importlib.import_module(name)
        found += [f"{name}.{key}" for key, value in vars(module).items() if isinstance(value, wrapt.BaseObjectProxy)]
        for kind in (value for value in vars(module).values() if isinstance(value, type)):
            found += [
                f"{kind.__name__}.{key}"
                for key, value in vars(kind).items()
                if isinstance(value, wrapt.BaseObjectProxy)
            ]
    return found


@every_surface
def test_uninstrument_takes_every_wrapper_off(metering, surface):
    with metering() as spans:
        ask(surface)
        assert wrapped()
    ask(surface)

    assert (len(spans.ours()), wrapped()) == (1, [])


@every_surface
def test_instrument_twice_is_once_and_again_is_once(metering, surface):
    with metering():
        pass
    with metering() as spans:
        tokentrace.instrument(tracer_provider=spans.provider)
        ask(surface)

    assert len(spans.ours()) == 1


def test_a_wrapper_of_somebody_else_survives_uninstrument(metering, monkeypatch):
    client = importlib.import_module("openai._base_client").SyncAPIClient
    with metering() as spans:
        below = client.request

        @functools.wraps(below)
        def theirs(*args, **kwargs):
            return below(*args, **kwargs)

        monkeypatch.setattr(client, "request", theirs)
    ask(openai_chat.SURFACE)

    assert (client.request, spans.ours()) == (theirs, [])


def test_a_library_that_is_imported_late_is_metered():
    script = """
import tokentrace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
import sys
spans, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
tokentrace.instrument(tracer_provider=provider)
early = {"openai", "anthropic", "google.genai", "httpx", "httpx2"} & set(sys.modules)
from shapes.shape import ask
from shapes.surfaces import SURFACES
for surface in SURFACES:
    ask(surface)
print(early, [span.attributes["gen_ai.provider.name"] for span in spans.get_finished_spans()])
"""
    here = Path(__file__).parent
    ran = subprocess.run([sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=True)

    assert ran.stdout == "set() ['openai', 'openai', 'anthropic', 'gcp.gemini']\n"


@every_surface
def test_a_call_is_a_child_of_the_span_around_it(spans, surface):
    with spans.tracer.start_as_current_span("request") as request:
        ask(surface)

    (span,) = spans.ours()
    assert (span.parent, span.kind) == (request.get_span_context(), trace.SpanKind.CLIENT)


@every_surface
def test_a_call_says_what_was_asked_of_whom_and_by_which_part_of_the_application(spans, surface):
    with tokentrace.tags(team="search"), tokentrace.step("draft", role="answer"):
        ask(surface)

    said = spans.ours()[0].attributes
    assert {
        name: value for name, value in said.items() if not name.startswith(("gen_ai.usage.", "tokentrace.usage."))
    } == {
        **IDENTITY[surface.name],
        "tokentrace.input.segments": (f"user:{said['gen_ai.usage.input_tokens']}",),
        "tokentrace.input.user": said["gen_ai.usage.input_tokens"],
        "tokentrace.prefix.cacheable": 0,
        "tokentrace.prefix.repeated": 0,
        "tokentrace.attempts": 1,
        "tokentrace.attribution.team": "search",
        "tokentrace.role": "answer",
        "tokentrace.role_source": "explicit",
        "tokentrace.reasoning.source": "reported",
        "tokentrace.reasoning.visibility": "hidden",
    }


@every_surface
def test_a_call_says_how_much_of_it_was_sent_before(spans, surface):
    ask(surface)
    ask(surface)

    first, second = (span.attributes for span in spans.ours())
    assert first["tokentrace.prefix.repeated"] == 0
    assert second["tokentrace.prefix.repeated"] == second["gen_ai.usage.input_tokens"] > 0


@every_surface
def test_a_streamed_call_says_so(spans, surface):
    shape = surface["streamed"]
    run(shape.act(surface.client(SYNC, Provider(shape.answers), 0)), SYNC)

    said = spans.only()
    assert said.pop("gen_ai.response.time_to_first_chunk") > 0
    assert {name: said.get(name) for name in IDENTITY[surface.name]} == IDENTITY[surface.name]
    assert (said["gen_ai.request.stream"], said["name"]) == (True, NAMES[surface.name])


@every_surface
def test_an_interrupt_of_the_user_passes_and_is_noted(spans, surface):
    with pytest.raises(KeyboardInterrupt):
        ask(surface, Provider((lost("interrupt"),)))

    (span,) = spans.ours()
    assert (span.attributes["error.type"], trace.get_current_span()) == ("KeyboardInterrupt", trace.INVALID_SPAN)


def test_an_attempt_says_how_it_ended_and_how_long_it_waited(spans):
    provider = Provider((refused(429, retry_after_ms="1"), *openai_chat.SURFACE["complete"].answers))
    ask(openai_chat.SURFACE, provider)

    (span,) = spans.ours()
    first, second = (dict(event.attributes) for event in span.events)
    assert second.pop("tokentrace.attempt.wait") > 0
    assert first == {
        "tokentrace.attempt.number": 1,
        "http.response.status_code": 429,
        "tokentrace.attempt.billable": "false",
        "tokentrace.attempt.retry_after": 0.001,
    }
    assert second == {
        "tokentrace.attempt.number": 2,
        "http.response.status_code": 200,
        "tokentrace.attempt.billable": "true",
    }


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("https://api.deepseek.com/v1", "deepseek"),
        ("http://10.0.0.7:8000/v1", "self_hosted"),
        ("http://h/v1", "openai"),
    ],
)
def test_the_host_says_who_provides(metering, host, named):
    import openai

    provider = Provider((reply(openai_chat.body()),))
    client = openai_chat.SURFACE.client(SYNC, provider, 0)
    with metering(hosts={"10.0.0.7:8000": "self_hosted"}) as spans:
        openai.OpenAI(api_key="-", base_url=host, http_client=client._client).chat.completions.create(**openai_chat.ASK)

    assert spans.only()["gen_ai.provider.name"] == named


def test_an_azure_deployment_is_asked_and_its_model_answers(spans):
    client = openai_chat.SURFACE.client(SYNC, Provider((reply(openai_chat.body()),)), 0)
    openai_chat.azure_of(client).chat.completions.create(**openai_chat.ASK | {"model": "our-deployment"})

    said = spans.only()
    names = ("gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "server.address")
    assert [said[name] for name in names] == [
        "azure.ai.openai",
        "our-deployment",
        "gpt-5.6-2026-08-01",
        "example.openai.azure.com",
    ]


@pytest.mark.parametrize("name", ["complete", "streamed", "stream helper", "retried after 429", "refused with 400"])
def test_anthropics_own_spans_carry_no_second_usage(spans, monkeypatch, name):
    surface = anthropic_messages.SURFACE
    if name not in surface:
        pytest.skip("this release has no such shape")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", spans.provider)
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")
    shape = surface[name]
    client = surface.client(SYNC, Provider(shape.answers), shape.retries)
    with suppress(importlib.import_module("anthropic").BadRequestError):
        run(shape.act(client), SYNC)

    assert [span.instrumentation_scope.name for span in spans] == ["tokentrace"]


def test_other_endpoints_are_none_of_our_business(spans):
    client = openai_chat.SURFACE.client(SYNC, Provider((reply({"object": "list", "data": []}),)), 0)
    client.models.list()

    assert spans.ours() == []


@every_surface
def test_a_stream_is_counted_however_it_is_compressed(spans, surface):
    import gzip
    from dataclasses import replace

    shape = surface["streamed"]
    packed = gzip.compress(b"".join(shape.answers[0].parts))
    cut = tuple(packed[at : at + 11] for at in range(0, len(packed), 11))
    answer = replace(
        stream(cut), headers={"content-type": "text/event-stream; charset=utf-8", "content-encoding": "gzip"}
    )
    run(shape.act(surface.client(SYNC, Provider((answer,)), 0)), SYNC)

    assert spans.only()["gen_ai.usage.output_tokens"] == 50
