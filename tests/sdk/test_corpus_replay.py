"""Recorded exchanges of real providers, replayed through the real clients: a span says what the provider reported.

The corpus brings a loopback server and a driver for each client; here is only what must come out. What cannot be
replayed is listed, and is read from its recording by `test_corpus_usage.py`.
"""

from __future__ import annotations

import functools
import gc
import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
import truth
from opentelemetry import trace

from tokentrace.providers.registry import NAMES

CORPUS = Path(os.environ.get("TOKENTRACE_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
INDEX = CORPUS / "INDEX.json"
OWN = frozenset({"openai", "azure", "anthropic", "google", "vertex", "bedrock"})
"""Providers that a client knows by itself; of the others it is told by the host."""

OTHER_CLIENTS = frozenset({"cohere", "writer"})
"""Providers with APIs of their own: `test_corpus_clients.py` has Cohere's client, of Writer's only usage is read."""

APIS = frozenset(
    {
        "chat",
        "completions",
        "responses",
        "messages",
        "generate",
        "stream-generate",
        "embeddings",
        "converse",
        "converse-stream",
        "invoke",
        "invoke-stream",
    }
)
Counts = dict[str, int]

ROWS = [
    row
    for row in (json.loads(INDEX.read_text()) if INDEX.exists() else ())
    if row["provider"] not in OTHER_CLIENTS and APIS & set(row["apis"])
]

NOT_METERED = {
    "google/generate/explicit-cache-hit-ratio#0": "creates a cache, which the driver does not ask the client for",
    "google/generate/explicit-cache-hit-ratio#4": "deletes a cache",
    "google/stream-generate/prompt#0": "streamed as a JSON array, which no client asks for",
    "openai/assistants/streaming-existing-assistant-with-events-with-no-content#0": "creates an assistant",
    "openai/assistants/streaming-existing-assistant-with-events-with-no-content#1": "creates a thread",
    "openai/assistants/streaming-existing-assistant-with-events-with-no-content#2": "reads a thread",
    "openai/responses/openai-code-execution-files#0": "uploads a file",
    "openai/responses/openai-code-execution-files#2": "deletes a file",
}
"""Exchanges that make no call to a model, or none that a client can replay, with the reason."""

DIFFERENT = {
    "anthropic/messages/anthropic-claude-haiku-4-5-and-azure-grok-4-1-fast-non-reasoning#1": (
        "reports 161 cached tokens in a prompt of 24: a part is cut to its whole, so that the total stays what is billed",
        {"cache_read": 24},
    ),
    "google/chat/compatible-api-with-tool-calls-without-id#0": (
        "thoughts are only in the total; the record adds them to the output without calling them thoughts",
        {"reasoning": 62},
    ),
    "google/chat/compatible-api-with-tool-calls-without-id#1": ("as above", {"reasoning": 28}),
    "openrouter/chat/openrouter-cache-instructions-gemini-real-api#0": (
        "the record adds tokens up that are read and written at once",
        {"cache_write": 7},
    ),
}
"""Where a span differs from the independent reading `norm`, with the reason."""

CONTRADICTORY = {
    "openrouter/chat/openrouter-cache-instructions-gemini-real-api#0": (
        "the same 2,161 of 2,168 tokens are read and written: parts that share tokens are cut to their whole",
        {"cache_read": 2161, "cache_write_30m": 7, "output_text": 100},
    ),
    "vercel-gateway/chat/vercelcommon-gemini-2-5-flash-simple#0": (
        "reasoning is outside of the output and of the total; the cost says that it is billed",
        {"input_text": 9, "output_text": 2, "output_reasoning": 25},
    ),
    "vercel-gateway/chat/vercelcommon-gemini-2-5-flash-simple-streaming#0": (
        "as above",
        {"input_text": 9, "output_text": 2, "output_reasoning": 25},
    ),
}
"""Usage objects that contradict themselves, with what they must mean."""

pytestmark = [
    pytest.mark.skipif(not ROWS, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory"),
    pytest.mark.filterwarnings("ignore"),  # The clients warn of models and arguments that were current when recorded.
]


class Replayed(NamedTuple):
    """One exchange, by the span that was made of it."""

    id: str
    said: dict[str, Any] | None
    """Buckets and parts, and where they come from; None where there was no span."""

    totals: Counts
    usages: int
    """How many spans of whatever origin carry usage."""


Replay = Callable[[Mapping[str, Any]], list[Replayed]]


@pytest.fixture(scope="module")
def drive() -> Iterator[ModuleType]:
    """The corpus's own driver of the clients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(CORPUS)
        # The driver sets and unsets variables when it is imported.
        for name in ("ANTHROPIC_OPEN_TELEMETRY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.setenv(name, os.environ.get(name, ""))
        spec = importlib.util.spec_from_file_location("corpus_drive", CORPUS / "drive.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


@pytest.fixture
def replay(
    drive: ModuleType, metering: Any, monkeypatch: pytest.MonkeyPatch, row: Mapping[str, Any]
) -> Iterator[Replay]:
    """Replays a recording, metered, with a TracerProvider that is the application's too."""
    gc.freeze()
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    provider = row["provider"]
    with metering(hosts={} if provider in OWN else {"127.0.0.1": NAMES.get(provider, provider)}) as spans:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", spans.provider)
        made: list[tuple[dict[str, Any] | None, Counts, int]] = []

        def counted(one: Callable[..., Any], *arguments: Any) -> Any:
            spans.clear()
            try:
                return one(*arguments)
            finally:
                gc.collect()
                usages = [span for span in spans if any(key.startswith("gen_ai.usage.") for key in span.attributes)]
                ours = spans.ours()
                assert len(ours) <= 1
                found = dict(ours[0].attributes or {}) if ours else {}
                made.append((said(found) if ours else None, totals(found), len(usages)))

        for client, one in drive.DRIVE.items():
            monkeypatch.setitem(drive.DRIVE, client, functools.partial(counted, one))

        def replayed(row: Mapping[str, Any]) -> list[Replayed]:
            results = drive.run(CORPUS / row["file"], row["features"])
            numbers = [result["exchange"] + result["retries"] for result in results]
            return [Replayed(f"{row['id']}#{number}", *each) for number, each in zip(numbers, made, strict=True)]

        yield replayed


def said(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What a span says about usage; what the provider calls zero is left out."""
    usage = {key: value for key, value in attributes.items() if key.startswith("tokentrace.usage.")}
    counts = {
        key.removeprefix("tokentrace.usage."): value for key, value in usage.items() if type(value) is int and value
    }
    parts = [part["buckets"] for part in json.loads(usage.get("tokentrace.usage.parts", "[]"))]
    return {"source": usage["tokentrace.usage.source"], "buckets": counts, "parts": parts}


def totals(attributes: Mapping[str, Any]) -> Counts:
    """The inclusive totals of a span, by the names of `norm`."""
    usage = {key: value for key, value in attributes.items() if key.startswith(("gen_ai.usage.", "tokentrace.usage."))}
    named = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read.input_tokens"}
    counts = {name: usage.get(f"gen_ai.usage.{key}") or 0 for name, key in named.items()}
    written = usage.get("gen_ai.usage.cache_write.input_tokens") or 0
    return counts | {"cache_write": written, "reasoning": usage.get("tokentrace.usage.output_reasoning") or 0}


def reported(row: Mapping[str, Any], made: Iterable[str]) -> dict[str, Any]:
    """What the span of each exchange must say."""
    finals = {f"{row['id']}#{number}": final for number, final in enumerate(row["final"])}
    told = {name: None if name in NOT_METERED else truth.of(finals[name]) for name in made}
    for name in told.keys() & CONTRADICTORY.keys():
        told[name] = {"source": "reported", "buckets": CONTRADICTORY[name][1], "parts": []}
    return told


def independent(row: Mapping[str, Any], made: Iterable[str]) -> dict[str, Counts]:
    """The totals that were written down about each exchange by someone else."""
    norms = {f"{row['id']}#{norm['exchange']}": norm for norm in row["norm"]}
    names = [name for name in made if name in norms and name not in NOT_METERED]
    plain = {name: {key: norms[name].get(key) or 0 for key in totals({})} for name in names}
    return {name: counts | DIFFERENT.get(name, ("", {}))[1] for name, counts in plain.items()}


def recordings(*, of: str = "", streamed: bool = False) -> Any:
    """A test for each recording."""
    rows = [row for row in ROWS if of in row["apis"] or not of]
    return pytest.mark.parametrize(
        "row", [pytest.param(row, id=row["id"]) for row in rows if any(row["streams"]) or not streamed]
    )


@recordings()
def test_a_span_says_what_the_provider_reported(replay, row):
    made = {each.id: each for each in replay(row)}

    assert {name: each.said for name, each in made.items()} == reported(row, made)
    expected = independent(row, made)
    assert {name: made[name].totals for name in expected} == expected


@recordings(streamed=True)
def test_a_stream_may_be_cut_anywhere(replay, drive, monkeypatch, row):
    monkeypatch.setattr(drive, "Replay", functools.partial(drive.Replay, chunk=7))

    made = {each.id: each.said for each in replay(row)}

    assert made == reported(row, made)


@recordings(of="messages")
def test_a_client_that_traces_itself_is_counted_once(replay, monkeypatch, row):
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "true")

    made = {each.id: each.usages for each in replay(row)}

    assert made == {name: int(bool(told and told["buckets"])) for name, told in reported(row, made).items()}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_listed_difference_is_still_one(name):
    (row,) = (row for row in ROWS if name.startswith(f"{row['id']}#"))
    (norm,) = (norm for norm in row["norm"] if name == f"{row['id']}#{norm['exchange']}")

    assert all(norm.get(key) != count for key, count in DIFFERENT[name][1].items())
