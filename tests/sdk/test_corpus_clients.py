"""Recorded exchanges of providers that have clients of their own, replayed through those: spans say what was reported.

What speaks OpenAI's, Anthropic's, Google's or Bedrock's API is replayed by `test_corpus_replay.py`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import truth
from shapes.record import said

CORPUS = Path(os.environ.get("TOKENTRACE_CORPUS") or Path(__file__).parents[3] / "shared" / "corpus")
INDEX = CORPUS / "INDEX.json"
Body = dict[str, Any]


def _groq(url: str, body: Body) -> Any:
    from groq import Groq

    return _stainless(Groq(api_key="-", base_url=url, max_retries=0), body)


def _together(url: str, body: Body) -> Any:
    from together import Together

    return _stainless(Together(api_key="-", base_url=f"{url}/v1", max_retries=0), body)


def _cerebras(url: str, body: Body) -> Any:
    from cerebras.cloud.sdk import Cerebras

    client = Cerebras(api_key="-", base_url=url, max_retries=0, warm_tcp_connection=False)
    return _stainless(client, body)


def _stainless(client: Any, body: Body) -> Any:
    # Not every release knows every field by name.
    options = {"extra_body": {"stream_options": body.pop("stream_options")}} if "stream_options" in body else {}
    return _all(client.chat.completions.create(**body, **options))


def _mistral(url: str, body: Body) -> Any:
    from mistralai.client import Mistral

    body.pop("stream")
    return Mistral(api_key="-", server_url=url).chat.complete(**body)


def _cohere(url: str, body: Body) -> Any:
    from cohere import ClientV2

    client = ClientV2(api_key="-", base_url=url)
    if "texts" in body:
        return client.embed(**body)
    return _all(client.chat_stream(**body)) if body.pop("stream") else client.chat(**body)


def _huggingface(url: str, body: Body) -> Any:
    from huggingface_hub import InferenceClient

    return _all(InferenceClient(base_url=url, api_key="-").chat.completions.create(**body))


def _ollama(url: str, body: Body) -> Any:
    from ollama import Client

    client = Client(host=url)
    return _all(client.chat(**body) if "messages" in body else client.generate(**body))


def _ollama_async(url: str, body: Body) -> Any:
    from ollama import AsyncClient

    async def ask() -> Any:
        client = AsyncClient(host=url)
        answer = await (client.chat(**body) if "messages" in body else client.generate(**body))
        return [part async for part in answer] if hasattr(answer, "__aiter__") else answer

    return asyncio.run(ask())


def _all(answer: Any) -> Any:
    return answer if hasattr(answer, "model_dump") else list(answer)


DRIVERS: Mapping[str, tuple[Callable[[str, Body], Any], ...]] = {
    "cerebras": (_cerebras,),
    "cohere": (_cohere,),
    "groq": (_groq,),
    "huggingface": (_huggingface,),
    "mistral": (_mistral,),
    "ollama": (_ollama, _ollama_async),
    "together": (_together,),
}

ROWS = [row for row in (json.loads(INDEX.read_text()) if INDEX.exists() else ()) if row["provider"] in DRIVERS]
CASES = [
    pytest.param(row, drive, id=f"{row['id']}{drive.__name__}") for row in ROWS for drive in DRIVERS[row["provider"]]
]

pytestmark = [
    pytest.mark.skipif(not ROWS, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory"),
    pytest.mark.filterwarnings("ignore"),  # The clients warn of models and arguments that were current when recorded.
]


@pytest.fixture(scope="module")
def server() -> Iterator[ModuleType]:
    """The corpus's own replay server."""
    spec = importlib.util.spec_from_file_location("corpus_replay", CORPUS / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def error_of(drive: Callable[[str, Body], Any], url: str, body: Body) -> Exception | None:
    """What the client raises; each has errors of its own."""
    try:
        drive(url, body)
    except Exception as error:  # noqa: BLE001
        return error
    return None


@pytest.mark.parametrize(("row", "drive"), CASES)
def test_a_span_says_what_the_provider_reported(spans, server, row, drive):
    recorded = json.loads((CORPUS / row["file"]).read_text())
    with server.Replay(recorded) as replay:
        for exchange in recorded["exchanges"]:
            raised = error_of(drive, replay.base_url, dict(exchange["request"]["body"]))
            assert (raised is not None) == (exchange["response"]["status"] >= 400), raised
            gc.collect()
    made = [said(span) for span in spans.ours()]
    assert [(each["source"], each["tokens"]) for each in made] == [
        (told["source"], told["buckets"]) for told in map(truth.of, row["final"])
    ]
