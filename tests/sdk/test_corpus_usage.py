"""Every usage that the corpus of recorded exchanges holds, against what was written down about it independently."""

import base64
import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tokentrace.normalise import read_usage
from tokentrace.providers.registry import NAMES
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import apis

CORPUS = Path(os.environ.get("TOKENTRACE_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
INDEX = CORPUS / "INDEX.json"

APIS = (
    (r"/chat/completions$", "chat"),
    (r"/completions$", "completions"),
    (r"/v1/complete$", "legacy-complete"),
    (r"/responses(/[^/]+)?$", "responses"),
    (r"/threads/[^/]+/runs$", "assistants"),
    (r"/embeddings$", "embeddings"),
    (r"/images/", "images"),
    (r"/converse(-stream)?$", "converse"),
    (r"/invoke(-with-response-stream)?$", "invoke"),
    (r"/v[12]/chat$", "chat"),
    (r"/v[12]/embed$", "embeddings"),
    (r"/api/(chat|generate)$", "ollama"),
    (r"/audio/", "transcription"),
    (r"/messages$", "messages"),
    (r"/batches(/[^/]+)?(/results)?$", "batch"),
    (r"/files/[^/]+/content$", "batch"),
    (r":(streamG|g)enerateContent$", "generate"),
    (r":batchEmbedContents$", "embeddings"),
    (r":rawPredict$", "raw-predict"),
    (r":predict$", "predict"),
    (r"/interactions$", "interactions"),
)
"""Paths of the APIs that can report usage; the corpus has others, which never do."""

OTHERS = frozenset({"alephalpha", "watsonx"})
"""Providers of the corpus that speak formats of their own."""


class Exchange(NamedTuple):
    id: str
    provider: str
    api: str
    status: int
    body: str
    final: dict[str, Any] | None
    norm: dict[str, Any] | None


def api_of(url: str) -> str | None:
    path = re.sub(r"[?#].*", "", url).replace("%3A", ":")
    # A thread keeps messages of the same path as Anthropic's, which nobody bills.
    if "/threads/" in path and path.endswith("/messages"):
        return None
    return next((api for pattern, api in APIS if re.search(pattern, path)), None)


def exchanges() -> Iterator[Exchange]:
    for row in json.loads(INDEX.read_text()) if INDEX.exists() else ():
        if row["provider"] in OTHERS:
            continue
        norms = {norm["exchange"]: norm for norm in row["norm"]}
        for number, recorded in enumerate(json.loads((CORPUS / row["file"]).read_text())["exchanges"]):
            response = recorded["response"]
            if api := api_of(recorded["request"]["url"]):
                name = f"{row['id']}#{number}"
                facts = row["final"][number], norms.get(number)
                yield Exchange(name, row["provider"], api, response["status"], body_of(response), *facts)


def body_of(response: dict[str, Any]) -> str:
    """The body as text; the frames of an AWS event stream as lines of JSON."""
    if response.get("body_encoding") != "base64":
        return response["body"]
    raw, at, lines = base64.b64decode(response["body"]), 0, []
    while at + 16 <= len(raw):
        size, headers = struct.unpack(">II", raw[at : at + 8])
        payload = json.loads(raw[at + 12 + headers : at + size - 4])
        # InvokeModel wraps the vendor's event once more.
        wrapped = payload.get("bytes") if isinstance(payload, dict) else None
        lines.append(base64.b64decode(wrapped).decode() if wrapped else json.dumps(payload))
        at += size
    return "\n".join(lines)


def events(body: str) -> list[bytes]:
    """The data of each server-sent event."""
    blocks = re.split(r"\r?\n\r?\n", body)
    data = ["\n".join(re.findall(r"^data: ?(.*)$", block, re.MULTILINE)) for block in blocks]
    return [one.encode() for one in data if one and one != "[DONE]"]


def answer(body: str) -> Any:
    """A body as a client sees it: JSON, lines of JSON, or the events of a stream."""
    try:
        return json.loads(body)
    except ValueError:
        lines = body.splitlines() if body.startswith("{") else events(body)
        return [json.loads(line) for line in lines]


ALL = list(exchanges())

_BATCH = "openai/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations"
RUNNING = {f"{_BATCH}#{poll}": "a job that is not over says zero, which is not its bill" for poll in range(1, 11)}

DEVIATIONS: dict[str, tuple[str, dict[str, int | None]]] = {
    "anthropic/messages/anthropic-claude-haiku-4-5-and-azure-grok-4-1-fast-non-reasoning#1": (
        "reports 161 cached tokens in a prompt of 24: a part is cut to its whole, so that the total stays what is billed",
        {"cache_read": 24},
    ),
    "google/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#25": (
        "a job of two answers: the record states the last one, the job is billed for both",
        {"input": 26, "output": 98, "reasoning": 96},
    ),
    "google/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#26": (
        "the same job, asked again",
        {"input": 26, "output": 98, "reasoning": 96},
    ),
    "google/chat/compatible-api-with-tool-calls-without-id#0": (
        "thoughts are counted only in the total: the record adds them to the output without saying that they are thoughts",
        {"reasoning": 62},
    ),
    "google/chat/compatible-api-with-tool-calls-without-id#1": ("as above", {"reasoning": 28}),
    "openrouter/chat/openrouter-cache-instructions-gemini-real-api#0": (
        "reports the same 2,161 of 2,168 tokens as read and as written: parts that share tokens are cut, and it is said",
        {"cache_write": 7},
    ),
    "vercel-gateway/chat/vercelcommon-gemini-2-5-flash-simple-streaming#0": (
        "repeats Anthropic's count of written tokens beside OpenAI's, which the record does not read",
        {"cache_write": 0},
    ),
    "vercel-gateway/chat/vercelcommon-gemini-2-5-flash-simple#0": ("as above", {"cache_write": 0}),
    "openai/assistants/streaming-existing-assistant-with-events-with-no-content#3": (
        "the details are spelt prompt_token_details, which the record does not read",
        {"cache_read": 0},
    ),
    "openai/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#13": (
        "a file of two answers: the record states the last one",
        {"input": 36, "output": 224, "reasoning": 128},
    ),
    "xai/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#5": (
        "a job of two answers: the record states the last one",
        {"input": 408, "output": 147, "reasoning": 144, "cache_read": 320},
    ),
    "writer/chat/writer-async-metrics#0": (
        "the details are spelt prompt_token_details and completion_token_details, which the record does not read",
        {"reasoning": 0, "cache_read": 0},
    ),
    **{poll: (why, {"reasoning": None, "cache_read": None}) for poll, why in RUNNING.items()},
}
"""Where our reading differs from the independent one, and what it is instead."""

OTHER_FINAL = {
    "google/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#25": "one answer of two",
    "google/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#26": "one answer of two",
    "openai/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#13": "one answer of two",
    "vertex/predict/functionality-vertexai-text-embedding-004-can-handle-a-single-text#0": "statistics of one embedding",
    "xai/batches/answers-staged-chats-and-appends-the-answers-to-their-conversations#5": "one answer of two",
    **RUNNING,
}
"""Exchanges whose `final` is not the usage object of the whole response."""

pytestmark = pytest.mark.skipif(not ALL, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory")


def named(cases: list[Exchange]) -> Any:
    return pytest.mark.parametrize("exchange", [pytest.param(case, id=case.id) for case in cases])


def usage_of(exchange: Exchange) -> Usage:
    body = answer(exchange.body) if exchange.body else None
    return read_usage(body, provider=exchange.provider, api=exchange.api, context={"http_status": exchange.status})


def totals(usage: Usage) -> dict[str, int | None]:
    # The record adds up what is not said as nothing.
    whole = {"input": usage.input or 0, "output": usage.output or 0}
    return {**whole, "reasoning": usage.reasoning, "cache_read": usage.cache_read, "cache_write": usage.cache_write}


def stated(norm: dict[str, Any]) -> dict[str, int | None]:
    """The independent reading, by the names of ours."""
    # Of Cohere's two counts the record adds up the one that is processed, not the one that is billed.
    if norm["rule"] == "cohere":
        return {"input": norm["billed_input"] or 0, "output": norm["billed_output"] or 0}
    return {name: count for name, count in norm.items() if name in totals(Usage())}


@named([exchange for exchange in ALL if exchange.norm])
def test_a_recorded_usage_adds_up_to_its_independent_reading(exchange):
    expected = stated(exchange.norm)
    _, different = DEVIATIONS.get(exchange.id, ("", {}))
    assert {**expected, **different} == {name: totals(usage_of(exchange))[name] for name in expected}
    # A deviation that no longer deviates has to go.
    assert all(expected[name] != count for name, count in different.items())


@named([exchange for exchange in ALL if exchange.final])
def test_a_whole_exchange_reads_like_the_last_usage_it_reports(exchange):
    last = read_usage(exchange.final, provider=exchange.provider, api=exchange.api)
    same = (last.buckets, last.zeros) == (usage_of(exchange).buckets, usage_of(exchange).zeros)
    assert same != (exchange.id in OTHER_FINAL)


@named([exchange for exchange in ALL if not exchange.final])
def test_an_exchange_that_reports_nothing_is_missing_and_not_zero(exchange):
    billable = False if exchange.status >= 400 else "unknown"
    usage = usage_of(exchange)
    expected = {"usage_source": "missing", "billable": billable}
    # A batch job that still runs has no counts yet.
    assert (usage.buckets, usage.meters, {**usage.flags, **expected}) == ({}, {}, usage.flags)


UNTOTALLED = "openai-chat, reasoning outside completion_tokens and total_tokens"
TOTALLED = [
    one
    for one in ALL
    if one.norm and one.norm.get("reported_total") is not None
    if one.norm["rule"] != UNTOTALLED and one.id not in OTHER_FINAL
]


@named(TOTALLED)
def test_buckets_add_up_to_the_total_that_the_provider_reports(exchange):
    assert sum(usage_of(exchange).buckets.values()) == exchange.norm["reported_total"]


STREAMS = [exchange for exchange in ALL if exchange.status == 200 and len(events(exchange.body)) > 1]


@named(STREAMS)
def test_the_marked_events_of_a_stream_tell_everything(exchange):
    spoken = apis.spoken_by(NAMES.get(exchange.provider, exchange.provider), exchange.api)
    data = events(exchange.body)
    marked = [one for place, one in enumerate(data) if not place or spoken.marks.search(one)]
    told, all_told = Reading(), Reading()
    for one in data:
        spoken.read(json.loads(one), all_told)
    for one in marked:
        spoken.read(json.loads(one), told)
    assert told == all_told


@named(STREAMS)
def test_a_recorded_stream_that_ended_well_is_complete(exchange):
    spoken = apis.spoken_by(NAMES.get(exchange.provider, exchange.provider), exchange.api)
    seen = Reading()
    for one in events(exchange.body):
        spoken.read(json.loads(one), seen)
    assert seen.complete or seen.error
