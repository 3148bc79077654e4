"""How much of an answer had come that was left: at every place where it can be, and nothing of one that was read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

import tokentrace
from tokentrace.delivery import finish
from tokentrace.metrics import Metrics

WORDS = re.findall(r"\S+", "The sky is blue because of the way in which air scatters the light of the sun .")
USAGE = {"input_tokens": 20, "output_tokens": 400, "total_tokens": 420}
ID = "resp_0123456789abcdef"
KEY = "tokentrace.delivered."


def sse(*parts: dict[str, Any]) -> tuple[bytes, ...]:
    """Each event a piece of its own, as a network brings those that are written one by one."""
    return tuple(
        (f"event: {part['type']}\n" if "type" in part else "").encode() + f"data: {json.dumps(part)}\n\n".encode()
        for part in parts
    )


class Body(httpx2.SyncByteStream):
    def __init__(self, pieces: Iterable[bytes | Exception]) -> None:
        self.pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


def http(answer: Any) -> httpx2.Client:
    def reply(_request: Any) -> httpx2.Response:
        if isinstance(answer, dict):
            return httpx2.Response(200, json=answer)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(answer))

    return httpx2.Client(transport=httpx2.MockTransport(reply))


def openai_client(answer: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="-", max_retries=0, http_client=http(answer))


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "deepseek-chat"}
    return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]} | more


def chat(*parts: dict[str, Any]) -> Iterator[Any]:
    return openai_client((*sse(*parts), b"data: [DONE]\n\n")).chat.completions.create(
        model="deepseek-chat", messages=[{"role": "user", "content": "Why?"}], stream=True
    )


def plain() -> Iterator[Any]:
    return chat(*(chunk({"content": f"{word} "}) for word in WORDS), chunk({}, "stop"))


def counting_along() -> Iterator[Any]:
    """Of a server that tells with each word what it has come to, more than it takes here."""
    so_far = [
        {"prompt_tokens": 5, "completion_tokens": 3 * number, "total_tokens": 5 + 3 * number} for number in range(99)
    ]
    parts = [chunk({"content": f"{word} "}, usage=so_far[place + 1]) for place, word in enumerate(WORDS)]
    return chat(*parts, chunk({}, "stop", usage=so_far[len(WORDS)]))


def thinking() -> Iterator[Any]:
    thoughts = [chunk({"reasoning_content": f"{word} "}) for word in WORDS]
    return chat(*thoughts, *(chunk({"content": f"{word} "}) for word in WORDS), chunk({}, "stop"))


def messages() -> Iterator[Any]:
    begun = {"input_tokens": 20, "output_tokens": 4}
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-1", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": begun,
    }  # fmt: skip
    text = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"{word} "}}
        for word in WORDS
    ]
    answer = sse(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *text,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 19}},
        {"type": "message_stop"},
    )
    client = anthropic.Anthropic(api_key="-", max_retries=0, http_client=http(answer))
    return client.messages.create(
        model="claude-opus-4-1", max_tokens=99, messages=[{"role": "user", "content": "Why?"}], stream=True
    )


def gemini() -> Iterator[Any]:
    """It thinks out of sight, and counts that along."""

    def part(place: int, text: str, **more: Any) -> dict[str, Any]:
        told = {
            "promptTokenCount": 5,
            "thoughtsTokenCount": 60,
            "candidatesTokenCount": place,
            "totalTokenCount": 65 + place,
        }
        content = {"role": "model", "parts": [{"text": text}]}
        return {
            "candidates": [{"index": 0, "content": content, **more}],
            "usageMetadata": told,
            "modelVersion": "gemini-3-pro",
        }

    parts = [part(0, ""), *(part(place + 1, f"{word} ") for place, word in enumerate(WORDS))]
    answer = sse(*parts, part(len(WORDS), "", finishReason="STOP"))
    options = types.HttpOptions(httpx_client=http(answer))
    client = genai.Client(api_key="-", http_options=options)
    return client.models.generate_content_stream(model="gemini-3-pro", contents="Why?")


def response(status: str, *texts: str, usage: Any = None) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "incomplete", "content": content}
    return {
        "id": ID, "object": "response", "created_at": 1, "model": "gpt-5-mini", "status": status, "usage": usage,
        "output": [message] if texts else [], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "sequence_number": 0, **more}


def text(word: str) -> dict[str, Any]:
    return event("output_text.delta", item_id="msg_1", output_index=0, content_index=0, delta=f"{word} ", logprobs=[])


def responses(*end: dict[str, Any]) -> Iterator[Any]:
    end = end or (event("completed", response=response("completed", " ".join(WORDS), usage=USAGE)),)
    answer = sse(event("created", response=response("in_progress")), *map(text, WORDS), *end)
    return openai_client(answer).responses.create(model="gpt-5-mini", input="Why?", background=True, stream=True)


def said(delivered: Any) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in delivered.spans]


def came(attributes: dict[str, Any]) -> dict[str, int]:
    return {key.removeprefix(KEY): count for key, count in attributes.items() if key.startswith(KEY)}


def billed(attributes: dict[str, Any]) -> dict[str, int]:
    key = "tokentrace.usage.output_"
    return {f"output_{name.removeprefix(key)}": count for name, count in attributes.items() if name.startswith(key)}


def cut(stream: Callable[[], Iterator[Any]], delivered: Any) -> list[dict[str, Any]]:
    """What is said of a stream that is left after no part, after one, …, and of the whole."""
    parts = len(list(stream()))
    for number in range(parts):
        opened: Any = stream()
        for _ in islice(opened, number):
            pass
        opened.close()
        del opened
    whole, *cuts = said(delivered)
    assert (whole["tokentrace.stream.end"], came(whole)) == ("complete", {})
    return cuts


STREAMS = (plain, counting_along, thinking, messages, gemini, responses)


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.__name__)
def test_at_every_cut_what_came_is_told_and_is_no_more_than_was_billed(delivered, stream):
    """It grows with the place, begins with nothing, and is all of what nobody but we have counted."""
    cuts = cut(stream, delivered)
    left = [each for each in cuts if each["tokentrace.stream.end"] != "complete"]
    shown = [came(each)["output_text"] for each in left]
    assert (shown[0], shown) == (0, sorted(shown))
    assert len(set(shown)) >= len(WORDS) - 2
    for each in left:
        whole = billed(each)
        assert all(count <= whole.get(bucket, 0) for bucket, count in came(each).items())
        assert {bucket: count for bucket, count in whole.items() if count - came(each).get(bucket, count)} in (
            {},
            # Anthropic says of the first tokens before they come, Google of thoughts that nothing came of.
            {"output_text": 4} if stream is messages else {"output_reasoning": 60},
        )


def test_of_reasoning_that_can_be_read_what_came_is_told_until_there_is_an_answer(delivered):
    told = [came(each) for each in cut(thinking, delivered)]
    thoughts = [each["output_reasoning"] for each in told if "output_reasoning" in each]
    assert (len(thoughts), thoughts) == (len(WORDS) + 1, sorted(thoughts))
    assert thoughts[-1] > len(WORDS) // 2
    assert all(each.get("output_text", 0) == 0 for each in told[: len(thoughts)])


def test_a_stream_that_broke_tells_it_too(delivered):
    parts = sse(*(chunk({"content": f"{word} "}) for word in WORDS[:5]))
    stream = openai_client((*parts, httpx2.ReadTimeout("no more"))).chat.completions.create(
        model="deepseek-chat", messages=[{"role": "user", "content": "Why?"}], stream=True
    )
    with pytest.raises(openai.APITimeoutError):
        list(stream)
    (told,) = said(delivered)
    assert (told["tokentrace.stream.end"], came(told)) == (
        "failed",
        {"output_text": told["tokentrace.usage.output_text"]},
    )


def test_of_a_response_that_fails_at_its_end_it_is_told_beside_what_was_billed(delivered):
    failed = response("failed", usage=USAGE) | {"error": {"code": "server_error", "message": "sorry"}}
    list(responses(event("failed", response=failed)))
    (told,) = said(delivered)
    assert (billed(told)["output_text"], told["tokentrace.stream.end"]) == (400, "failed")
    assert len(WORDS) // 2 < came(told)["output_text"] < 2 * len(WORDS)


def test_a_stream_that_ends_because_its_response_was_cancelled_tells_it(delivered):
    list(responses(event("cancelled", response=response("cancelled", usage=USAGE))))
    (told,) = said(delivered)
    assert billed(told)["output_text"] == 400
    assert len(WORDS) // 2 < came(told)["output_text"] < 2 * len(WORDS)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (response("cancelled", usage=USAGE), {"output_text": 0, "output_reasoning": 0}),
        (response("cancelled", "The sky", usage=USAGE), {"output_text": 2}),
        (response("completed", "The sky", usage=USAGE), {}),
        (response("in_progress"), {}),
    ],
    ids=["cancelled", "cancelled and shown", "completed", "in progress"],
)
def test_who_reads_a_response_that_was_cancelled_is_told_what_it_shows(delivered, ranks, monkeypatch, answer, told):
    counted = []
    monkeypatch.setattr(Metrics, "count", lambda _, attributes: counted.append(attributes))
    openai_client(answer).responses.cancel(ID)
    (reading,) = said(delivered)
    assert (reading["tokentrace.usage.scope"], came(reading)) == ("retrieve", told)
    # It is no call of its own, however it is made up for.
    assert counted == []


def test_of_what_no_longer_fits_into_memory_nobody_knows_how_much_came(delivered, monkeypatch):
    monkeypatch.setattr(finish, "HELD", 10)
    opened = plain()
    next(opened)
    opened.close()
    assert came(said(delivered)[0]) == {}


def test_what_is_no_text_is_not_told_by_its_text(delivered):
    answer = sse(chunk({"content": "Look: "}), chunk({"images": [{"image_url": {"url": "data:…"}}]}), chunk({}, "stop"))
    opened = openai_client(answer).chat.completions.create(
        model="deepseek-chat", messages=[{"role": "user", "content": "Why?"}], stream=True
    )
    next(opened), next(opened)
    opened.close()
    assert came(said(delivered)[0]) == {}


def test_to_accept_what_came_is_told_below_the_section_it_came_in(spans):
    with tokentrace.step("draft"):
        tokentrace.accept_partial()
        tokentrace.accept_partial(response_id=ID)
    first, second, draft = spans
    assert {first.parent.span_id, second.parent.span_id} == {draft.context.span_id}
    assert [dict(each.attributes) for each in (first, second)] == [
        {"tokentrace.report": "acceptance"},
        {"tokentrace.report": "acceptance", "tokentrace.accept.response_id": ID},
    ]
