"""The quick starts of the websockets of `openai`: Realtime, Responses and Live."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from shapes.api import call

from quickstarts.quickstart import Quickstart
from quickstarts.sockets import messages, socket

SESSION = {
    "type": "realtime",
    "id": "sess_1",
    "model": "gpt-realtime-2025-08-28",
    "audio": {"input": {"transcription": {"model": "gpt-4o-mini-transcribe"}}},
}
GREETED = messages({"type": "session.created", "event_id": "event_1", "session": SESSION})
UPDATED = messages({"type": "session.updated", "event_id": "event_2", "session": SESSION})
QUIET = messages()

# 119 of input: 55 of text, of which 32 were cached, and 64 of audio, all of them cached.
USAGE = {
    "total_tokens": 253,
    "input_tokens": 119,
    "output_tokens": 134,
    "input_token_details": {
        "text_tokens": 55,
        "audio_tokens": 64,
        "cached_tokens": 96,
        "cached_tokens_details": {"text_tokens": 32, "audio_tokens": 64},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 104},
}
SPOKEN = {"input_text": 23, "cache_read": 32, "cache_read_audio": 64, "output_text": 30, "output_audio": 104}
HEARD = {"type": "tokens", "total_tokens": 26, "input_tokens": 17, "output_tokens": 9}
HEARD_DETAILS = {"input_token_details": {"text_tokens": 0, "audio_tokens": 17}}


def _response(status: str, usage: Any = None, **more: Any) -> dict[str, Any]:
    return {"object": "realtime.response", "id": "resp_1", "status": status, "output": [], "usage": usage} | more


BEGUN = {"type": "response.created", "event_id": "event_3", "response": _response("in_progress")}
DELTA = {
    "type": "response.output_text.delta",
    "event_id": "event_4",
    "response_id": "resp_1",
    "item_id": "item_2",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hello!",
}
DONE = {"type": "response.done", "event_id": "event_9", "response": _response("completed", USAGE)}
CUT = {"type": "cancelled", "reason": "turn_detected"}
INTERRUPTED = DONE | {"response": _response("cancelled", USAGE, status_details=CUT)}
TRANSCRIPT = {"event_id": "event_5", "item_id": "item_1", "content_index": 0}
TRANSCRIBING = TRANSCRIPT | {"type": "conversation.item.input_audio_transcription.delta", "delta": "Say"}
TRANSCRIBED = TRANSCRIPT | {
    "type": "conversation.item.input_audio_transcription.completed",
    "transcript": "Say hello!",
    "usage": HEARD | HEARD_DETAILS,
}
ASKED = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello!"}]}


def over(tokens: Any, **more: Any) -> dict[str, Any]:
    """What the span of a call says that no HTTP request of its own has made."""
    return call(tokens, [], end="complete", **more)


async def realtime(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", websocket_base_url=url)
    events = []
    async with client.realtime.connect(model="gpt-realtime") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(item=ASKED)
        await connection.response.create()
        async for event in connection:
            events.append(event)
            if event.type == "response.done":
                break
    return events


def realtime_blocking(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    events = []
    with client.realtime.connect(model="gpt-realtime") as connection:
        connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        connection.conversation.item.create(item=ASKED)
        connection.response.create()
        for event in connection:
            events.append(event)
            if event.type == "response.done":
                break
    return events


async def realtime_twice(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", websocket_base_url=url)
    connection = await client.realtime.connect(model="gpt-realtime").enter()
    events = [await connection.recv()]
    for _ in range(2):
        await connection.response.create()
        while events[-1].type != "response.done":
            events.append(await connection.recv())
        events.append(connection.parse_event(await connection.recv_bytes()))
    await connection.close()
    return events


def realtime_left(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    with client.realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        for event in connection:
            if event.type == "response.output_text.delta":
                return event
    return None


def realtime_lost(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    with client.realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        return list(connection)


def realtime_beta(url: str) -> Any:
    from openai import OpenAI

    headers = {"Authorization": "Bearer -"}
    client = OpenAI(api_key="-", websocket_base_url=url, default_headers=headers)
    with client.beta.realtime.connect(model="gpt-4o-realtime-preview") as connection:
        connection.response.create()
        events = []
        for event in connection:
            events.append(event)
            if event.type == "response.done":
                break
    return events


REALTIME = (GREETED, UPDATED, QUIET, messages(TRANSCRIBING, BEGUN, DELTA, TRANSCRIBED, DONE))
COUNTED = (over({"input_audio": 17, "output_text": 9}), over(SPOKEN))
AGAIN = BEGUN | {"response": _response("in_progress", id="resp_2")}
FAILED = _response("failed", None, id="resp_2", status_details={"type": "failed", "error": {"code": "server_error"}})
SECONDS = TRANSCRIBED | {"usage": {"type": "duration", "seconds": 2.5}}
TWICE = (
    GREETED,
    messages(BEGUN, INTERRUPTED, SECONDS),
    messages(AGAIN, DONE | {"response": FAILED}, {"type": "error", "event_id": "event_8", "error": {"type": "x"}}),
)
MEASURED = call({}, [], end="complete", meters={"audio_seconds": 2.5})
REFUSED = call({}, [], source="missing", end="failed", error="server_error")
LEFT = call({}, [], source="missing", end="closed")
LOST = call({}, [], source="missing", end="failed", error="ConnectionClosedError")


def _has(path: str) -> Any:
    """Whether this release has a resource and what websockets take."""

    def has() -> bool:
        import openai

        found: Any = openai.OpenAI(api_key="-")
        for name in path.split("."):
            found = getattr(found, name, None)
        return found is not None and find_spec("websockets") is not None

    return has


def quickstart(name: str, run: Any, answers: Any, calls: Any, path: str = "realtime.connect") -> Quickstart:
    """Code that speaks through a websocket, where this release has `path`."""
    return Quickstart(name, run, answers, calls, serve=socket, needs=_has(path))


QUICKSTARTS = (
    quickstart("realtime async", realtime, REALTIME, COUNTED),
    quickstart("realtime", realtime_blocking, REALTIME, COUNTED),
    quickstart("realtime with several responses", realtime_twice, TWICE, (over(SPOKEN), MEASURED, REFUSED)),
    quickstart("realtime left in a response", realtime_left, (GREETED, messages(BEGUN, DELTA)), (LEFT,)),
    quickstart("realtime lost in a response", realtime_lost, (GREETED, messages(BEGUN, lost="gone")), (LOST,)),
    quickstart(
        "realtime beta", realtime_beta, (GREETED, messages(BEGUN, DONE)), (over(SPOKEN),), "beta.realtime.connect"
    ),
)
