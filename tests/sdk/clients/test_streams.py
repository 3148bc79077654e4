"""A stream says the same however it arrives, and the same as the answer in one body."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from shapes import anthropic_messages, google_generate, openai_chat, openai_responses
from shapes.api import data, named
from shapes.provider import Provider, reply, stream
from shapes.record import said
from shapes.shape import ASYNC, SYNC, run
from shapes.surfaces import SURFACES, every_surface

quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DIALECTS = [(b"\n", b""), (b"\r\n", b""), (b"\n", b": keep-alive\n\n")]
"""How lines end, and what stands between events."""
counts = st.integers(0, 2**31)


def take(spans, surface, name, answer, mode=SYNC):
    """What is recorded of one call."""
    spans.clear()
    run(surface[name].act(surface.client(mode, Provider((answer,)), 0)), mode)
    (span,) = spans.ours()
    return said(span)


def chat(fresh, read, written, text, thought):
    usage = {
        "prompt_tokens": fresh + read + written,
        "completion_tokens": text + thought,
        "total_tokens": fresh + read + written + text + thought,
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    events = (*openai_chat.TALK, openai_chat.chunk(usage=usage), openai_chat.DONE)
    return reply(openai_chat.body() | {"usage": usage}), stream(events)


def responses(fresh, read, written, text, thought):
    usage = {
        "input_tokens": fresh + read + written,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "output_tokens": text + thought,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": fresh + read + written + text + thought,
    }
    return reply(openai_responses.body(usage=usage)), stream(openai_responses.events(usage=usage))


def messages(fresh, read, written, text, thought):
    told = {"input_tokens": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    told["cache_creation"] = {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0}
    made = {"output_tokens": text + thought, "output_tokens_details": {"thinking_tokens": thought}}
    whole = anthropic_messages.body() | {"usage": told | made}
    start = {"type": "message_start", "message": whole | {"content": [], "usage": told | {"output_tokens": 1}}}
    stop = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": made}
    *_, last = anthropic_messages.EVENTS
    return reply(whole), stream((named(start), *anthropic_messages.EVENTS[1:-2], named(stop), last))


def gemini(fresh, read, written, text, thought):
    prompt = fresh + written + read
    usage = {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": read,
        "candidatesTokenCount": text,
        "thoughtsTokenCount": thought,
        "totalTokenCount": prompt + text + thought,
    }
    early = {"promptTokenCount": prompt, "candidatesTokenCount": text // 2, "totalTokenCount": prompt + text // 2}
    parts = (google_generate.body({"text": "4"}, finish=None, usage=early), google_generate.body(usage=usage))
    return reply(parts[-1]), stream([data(part) for part in parts])


@every_surface
@pytest.mark.parametrize("mode", [SYNC, ASYNC])
@quickly
@given(cuts=st.lists(st.integers(1, 4000), max_size=30), dialect=st.sampled_from(DIALECTS))
def test_a_stream_may_be_cut_anywhere(spans, surface, mode, cuts, dialect):
    newline, between = dialect
    # The parser of google-genai knows data and nothing else.
    between = b"" if surface is google_generate.GEMINI else between
    shape = surface["streamed"]
    body = between.join(shape.answers[0].parts).replace(b"\n", newline)
    edges = sorted({0, *(cut for cut in cuts if cut < len(body)), len(body)})
    pieces = [body[start:end] for start, end in pairwise(edges)]

    assert (take(spans, surface, "streamed", stream(pieces), mode),) == shape.calls


@pytest.mark.parametrize(
    ("surface", "answer"),
    list(zip(SURFACES, (chat, responses, messages, gemini), strict=True)),
    ids=lambda each: getattr(each, "name", ""),
)
@quickly
@given(fresh=counts, read=counts, written=counts, text=counts, thought=counts)
def test_a_stream_says_what_the_whole_answer_says(spans, surface, answer, **numbers):
    whole, streamed = answer(**numbers)

    at_once = take(spans, surface, "complete", whole)

    assert take(spans, surface, "streamed", streamed) == at_once | {"end": "complete"}
    assert sum(at_once["tokens"].values()) == sum(numbers.values())
