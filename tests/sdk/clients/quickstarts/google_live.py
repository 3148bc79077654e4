"""The quick starts of the Live sessions of `google-genai`."""

from __future__ import annotations

from typing import Any

from shapes.api import call

from quickstarts.google_clients import gemini
from quickstarts.quickstart import Quickstart
from quickstarts.sockets import messages, socket

MODEL = "gemini-live-2.5-flash-preview"
QUIET = messages()
READY = messages({"setupComplete": {}})
SAID = {"serverContent": {"modelTurn": {"role": "model", "parts": [{"text": "Hello!"}]}}}
HEARD = {"serverContent": {"inputTranscription": {"text": "Hello?"}}}
OVER = {"serverContent": {"turnComplete": True}}


def _used(**counts: Any) -> dict[str, Any]:
    return {"usageMetadata": counts}


# 70 of input: 50 of text and 20 of audio; 30 of output, of which 25 are audio, and 10 of thoughts beside it.
FIRST = _used(
    promptTokenCount=70,
    candidatesTokenCount=30,
    thoughtsTokenCount=10,
    totalTokenCount=110,
    promptTokensDetails=[{"modality": "TEXT", "tokenCount": 50}, {"modality": "AUDIO", "tokenCount": 20}],
    candidatesTokensDetails=[{"modality": "TEXT", "tokenCount": 5}, {"modality": "AUDIO", "tokenCount": 25}],
)
SPOKEN = {"input_text": 50, "input_audio": 20, "output_text": 5, "output_audio": 25, "output_reasoning": 10}
FOUND = {"serverContent": {"groundingMetadata": {"webSearchQueries": ["euro 2028 host", "euro 2028 final"]}}}
SECOND = _used(promptTokenCount=112, candidatesTokenCount=4, totalTokenCount=116)
ASKED = {"role": "user", "parts": [{"text": "Hello?"}]}


def _client(url: str) -> Any:
    """A gateway, for the address of any other is made one of TLS; here without it."""
    from google import genai

    client: Any = genai.Client(vertexai=True, http_options={"base_url": url})
    client._api_client._websocket_ssl_ctx = {}
    return client


def _gemini(url: str) -> Any:
    """The Gemini API, whose address is made one of TLS too."""
    client: Any = gemini(url)
    client._api_client._websocket_base_url = lambda *_: url
    client._api_client._websocket_ssl_ctx = {}
    return client


async def live(url: str) -> Any:
    client = _client(url)
    said = []
    async with client.aio.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}) as session:
        for _ in range(2):
            await session.send_client_content(turns=ASKED, turn_complete=True)
            said += [message async for message in session.receive()]
    return said


async def live_at_gemini(url: str) -> Any:
    client = _gemini(url)
    async with client.aio.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}) as session:
        await session.send_client_content(turns=ASKED, turn_complete=True)
        return [message async for message in session.receive()]


async def live_left(url: str) -> Any:
    client = _client(url)
    async with client.aio.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}) as session:
        await session.send_client_content(turns=ASKED, turn_complete=True)
        async for message in session.receive():
            if message.usage_metadata:
                return message
    return None


async def live_lost(url: str) -> Any:
    client = _client(url)
    async with client.aio.live.connect(model=MODEL, config={"response_modalities": ["TEXT"]}) as session:
        await session.send_client_content(turns=ASKED, turn_complete=True)
        return [message async for message in session.receive()]


FIRST_TURN = call(SPOKEN, [], end="complete")
SECOND_TURN = call({"input_text": 112, "output_text": 4}, [], end="complete")
LEFT = call(SPOKEN, [], source="partial_stream", end="dropped")
LOST = call({}, [], source="missing", end="failed", error="APIError")

QUICKSTARTS = (
    Quickstart(
        "live",
        live,
        (QUIET, READY, messages(HEARD, SAID, OVER | FIRST), messages(SAID, SECOND, OVER)),
        (FIRST_TURN, SECOND_TURN),
        serve=socket,
    ),
    Quickstart(
        "live with searches",
        live_at_gemini,
        (
            QUIET,
            READY,
            messages(SAID, FOUND, OVER | _used(promptTokenCount=70, responseTokenCount=30, totalTokenCount=100)),
        ),
        (call({"input_text": 70, "output_text": 30}, [], meters={"web_search": 1}, end="complete"),),
        serve=socket,
    ),
    Quickstart("live left in a turn", live_left, (QUIET, READY, messages(SAID, FIRST)), (LEFT,), serve=socket),
    Quickstart("live lost in a turn", live_lost, (QUIET, READY, messages(SAID, lost="gone")), (LOST,), serve=socket),
)
