"""The quick starts of `mistralai` at Azure and Google, and of what it can do beside chatting."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any

from shapes import openai_responses
from shapes.api import call
from shapes.provider import reply, stream

from quickstarts.mistral_answers import (
    ANSWER,
    CONVERSATION,
    CONVERSED,
    EVENTS,
    JUDGED,
    MESSAGES,
    METERS,
    MODEL,
    TALK_TOKENS,
    TOKENS,
)
from quickstarts.quickstart import Quickstart

ASK: dict[str, Any] = {"model": MODEL, "messages": MESSAGES}
FILL = {"model": "codestral-latest", "prompt": "def f(", "suffix": "return a + b"}
TALK = {"conversation_id": "conv-1", "inputs": "Who won?"}
AGAIN = TALK | {"from_entry_id": "e-1"}


def _client(url: str) -> Any:
    try:
        from mistralai.client import Mistral
    except ImportError:
        from mistralai import Mistral  # As the first generation has it.
    return Mistral(api_key="-", server_url=url)


def _azure(url: str) -> Any:
    if _is_there("mistralai.azure"):
        return import_module("mistralai.azure.client").MistralAzure(api_key="-", server_url=url)
    return import_module("mistralai_azure").MistralAzure(azure_api_key="-", azure_endpoint=url)


def _google(url: str) -> Any:
    if _is_there("mistralai.gcp"):
        google = import_module("mistralai.gcp.client")
        return google.MistralGCP(project_id="project", access_token="-", server_url=url)
    client = import_module("mistralai_gcp").MistralGoogleCloud(project_id="project", access_token="-")
    # The first generation has an address for each region, and no other.
    client.sdk_configuration.server_url = url
    return client


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _has_azure() -> bool:
    return _is_there("mistralai.azure") or _is_there("mistralai_azure")


def _has_google() -> bool:
    return _is_there("google.auth") and (_is_there("mistralai.gcp") or _is_there("mistralai_gcp"))


def _blocking(client: Callable[[str], Any], method: str, ask: Any) -> Callable[[str], Any]:
    def run(url: str) -> Any:
        told = attrgetter(method)(client(url))(**ask)
        return list(told) if hasattr(told, "__next__") else told

    return run


def _awaited(client: Callable[[str], Any], method: str, ask: Any) -> Callable[[str], Any]:
    async def run(url: str) -> Any:
        told = await attrgetter(f"{method}_async")(client(url))(**ask)
        return [part async for part in told] if hasattr(told, "__anext__") else told

    return run


def _has(resource: str) -> Callable[[], bool]:
    def found() -> bool:
        try:
            attrgetter(resource)(_client("http://127.0.0.1:9"))
        except AttributeError:
            return False
        return True

    return found


WHOLE, STREAMED = call(TOKENS), call(TOKENS, end="complete")
TALKED = call(TALK_TOKENS, meters=METERS)
TALKED_STREAM = TALKED | {"end": "complete"}
UNTOLD = call({}, source="missing")
CHAT, CHUNKS = reply(ANSWER), stream(EVENTS)
SPOKEN = {"model": "voxtral-tts-latest", "input": "Hello."}
JUDGE = {"model": "mistral-moderation-latest", "inputs": [MESSAGES]}
CLASSIFY = {"model": "classifier", "inputs": ["…"]}
CLASSIFY_CHAT = {"model": "classifier", "input": {"messages": MESSAGES}}
ASK_RESPONSES = {"model": MODEL, "input": "What is the best French cheese?"}
AGENT = {"agent_id": "ag-1", "messages": MESSAGES}

ENDPOINTS: tuple[tuple[str, str, Any, Any, Any], ...] = (
    ("agents streamed", "agents.stream", AGENT, CHUNKS, STREAMED),
    ("fim streamed", "fim.stream", FILL, CHUNKS, STREAMED),
    ("conversations append", "beta.conversations.append", TALK, reply(CONVERSED), TALKED),
    ("conversations append streamed", "beta.conversations.append_stream", TALK, stream(CONVERSATION), TALKED_STREAM),
    ("conversations restart", "beta.conversations.restart", AGAIN, reply(CONVERSED), TALKED),
    (
        "conversations restart streamed",
        "beta.conversations.restart_stream",
        AGAIN,
        stream(CONVERSATION),
        TALKED_STREAM,
    ),
    ("moderations of a chat", "classifiers.moderate_chat", JUDGE, reply(JUDGED), UNTOLD),
    ("classifications", "classifiers.classify", CLASSIFY, reply(JUDGED), UNTOLD),
    ("classifications of a chat", "classifiers.classify_chat", CLASSIFY_CHAT, reply(JUDGED), UNTOLD),
    ("speech", "audio.speech.complete", SPOKEN, reply({"audio_data": "AA=="}), UNTOLD),
    (
        "responses",
        "responses.create",
        ASK_RESPONSES,
        reply(openai_responses.body()),
        call(openai_responses.TOKENS),
    ),
)
"""Name, method, arguments, answer and call."""

PLACES = (("Azure", _azure, _has_azure), ("Google Cloud", _google, _has_google))

QUICKSTARTS = (
    *(
        Quickstart(f"{name}{kind}", run(_client, method, ask), (answer,), (said,), needs=_has(method))
        for name, method, ask, answer, said in ENDPOINTS
        for kind, run in (("", _blocking), (" async", _awaited))
    ),
    *(
        Quickstart(f"{name} at {place}{kind}", run(client, method, ASK), (answer,), (said,), needs=is_there)
        for place, client, is_there in PLACES
        for name, method, answer, said in (
            ("chat", "chat.complete", CHAT, WHOLE),
            ("chat streamed", "chat.stream", CHUNKS, STREAMED),
        )
        for kind, run in (("", _blocking), (" async", _awaited))
    ),
)
