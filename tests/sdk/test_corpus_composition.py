"""Every recorded request is shared out over what it is made of: exactly as many tokens as its answer reports."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_corpus_usage import ALL, CORPUS, INDEX, Exchange, named, usage_of

from tokentrace.estimation.composition import shared
from tokentrace.estimation.runs import Runs
from tokentrace.providers.registry import NAMES
from tokentrace.wire import apis

SILENT = frozenset({"batch", "assistants"})
"""APIs whose requests do not hold what is asked."""

UNKNOWN = {
    "google/embeddings/embedding-gemini-embedding-2-768#0": "a batch of the REST API, which no client of ours sends",
    "vertex/predict/functionality-vertexai-text-embedding-004-can-handle-a-single-text#0": "the same of Vertex",
}

pytestmark = pytest.mark.skipif(not ALL, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory")


def requests() -> dict[str, Any]:
    """The parsed body of each request, by the id of its exchange."""
    found: dict[str, Any] = {}
    for row in json.loads(INDEX.read_text()) if INDEX.exists() else ():
        for number, recorded in enumerate(json.loads((CORPUS / row["file"]).read_text())["exchanges"]):
            found[f"{row['id']}#{number}"] = parsed(recorded["request"]["body"])
    return found


def parsed(body: Any) -> Any:
    """A body as data; None where it is none."""
    if not isinstance(body, str):
        return body
    try:
        return json.loads(body)
    except ValueError:
        return None


BODIES = requests()
ASKED = [one for one in ALL if BODIES[one.id] and one.api not in SILENT and usage_of(one).input]


def composed(exchange: Exchange) -> list[tuple[str, int]]:
    """The kinds of a request in prompt order, and the tokens of each."""
    spoken = apis.spoken_by(NAMES.get(exchange.provider, exchange.provider), exchange.api)
    body = BODIES[exchange.id]
    asked = {"body": json.dumps(body)} if exchange.api == "invoke" else body
    prompt, usage = spoken.compose(asked), usage_of(exchange)
    if not prompt:
        return []
    runs = Runs(prompt)
    tokens = shared(runs, usage, usage.input)
    return [] if tokens is None else list(zip(runs.kinds, tokens, strict=True))


@named(ASKED)
def test_a_recorded_prompt_is_shared_out_exactly(exchange):
    assert sum(tokens for _, tokens in composed(exchange)) == (
        0 if exchange.id in UNKNOWN else usage_of(exchange).input
    )


KINDS = {
    "anthropic/messages/prompt-caching-conformance-agent-loop#2": [
        "tool_definitions", "system", "user", "history", "tool_results", "history", "tool_results",
    ],
    "anthropic/messages/anthropic-web-fetch-tool#0": ["tool_definitions", "user", "tool_results"],
    "bedrock/converse-stream/agent-loop-streaming-v1#1": ["tool_definitions", "user", "history", "tool_results"],
    "cohere/chat/langgraph-react-agent#4": [
        "system", "tool_definitions", "history", "user", "history", "tool_results",
    ],
    "cohere/chat/with-cohere-command-a-plus-05-2026-cites-text-documents-in-responses#0": ["user", "retrieved"],
    "azure/chat/azurenativetoolcalling-test-azure-agent-with-native-tool-calling#1": [
        "system", "tool_definitions", "history", "user",
    ],
}  # fmt: skip


@named([one for one in ASKED if one.id in KINDS])
def test_a_recorded_prompt_has_its_kinds_in_order(exchange):
    assert [kind for kind, _ in composed(exchange)] == KINDS[exchange.id]


def test_most_of_the_corpus_is_here():
    assert len(ASKED) > 250
    assert {one.id for one in ASKED} >= {*KINDS, *UNKNOWN}
