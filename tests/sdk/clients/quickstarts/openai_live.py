"""The quick starts of the websockets of `openai` that carry Responses, and of those that are billed by the second."""

from __future__ import annotations

from typing import Any

from shapes.api import call
from shapes.openai_responses import TOKENS, body

from quickstarts.openai_sockets import over, quickstart
from quickstarts.quickstart import Quickstart
from quickstarts.sockets import messages

CREATE = {"type": "response.create", "model": "gpt-5.6", "input": [{"role": "user", "content": "Say hello."}]}
CREATED = {"type": "response.created", "sequence_number": 0, "response": body("in_progress", output=[], usage=None)}
COMPLETED = {"type": "response.completed", "sequence_number": 1, "response": body()}
PROTOCOL = {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "No such response."}
BROKE = {"type": "error", "status": 500, "error": {"type": "server_error", "code": "server_error", "message": "Oh."}}


def responses(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    events = []
    with client.responses.connect() as connection:
        connection.send(CREATE)
        for event in connection:
            events.append(event)
            if event.type in {"response.completed", "error"}:
                break
    return events


async def responses_async(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", websocket_base_url=url)
    events = []
    async with client.responses.connect() as connection:
        await connection.send(CREATE)
        async for event in connection:
            events.append(event)
            if event.type == "response.completed":
                break
    return events


def _lane(event: Any, number: int) -> Any:
    told = event | {"stream_id": f"lane {number}"}
    return told | {"response": event["response"] | {"id": f"resp_{number}"}} if "response" in event else told


def responses_in_lanes(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    with client.responses.connect() as connection:
        connection.send(CREATE | {"stream_id": "lane 1"})
        connection.send(CREATE | {"stream_id": "lane 2"})
        return [connection.recv() for _ in range(4)]


SESSION = {"id": "live_1", "model": "gpt-live-1", "expires_at": 1, "status": "active"}
STARTED = {"type": "session.started", "event_id": "event_1", "session": SESSION}
CLOSED = {"type": "session.closed", "event_id": "event_9", "reason": "close_requested", "session": SESSION}
SECONDS = CLOSED | {"usage": {"seconds": 12.5}}
SO_FAR = {"type": "session.usage.updated", "event_id": "event_2", "usage": {"seconds": 4.5}}
LATER = SO_FAR | {"event_id": "event_5", "usage": {"seconds": 9.0}}


def _delegated(event: Any) -> dict[str, Any]:
    return {"type": "response.event", "event_id": "event_3", "delegation_id": "delegation_1", "event": event}


DECIDED = {
    "answers": [{"type": "predicate", "name": None, "probability": 0.9}],
    "model": "gpt-6-luna",
    "usage": {
        "input_tokens": 400,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 256},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 403,
    },
}
CHOSEN = {"input_text": 144, "cache_read": 256, "output_text": 3}
DECISION = {
    "type": "decision.event",
    "event_id": "event_6",
    "event": {"type": "decision.completed", "decision": DECIDED},
}


def live(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    events = []
    with client.live.connect() as connection:
        connection.session.start(session={"model": "gpt-live-1"})
        for event in connection:
            events.append(event)
            if event.type == "decision.event":
                connection.session.close()
            if event.type == "session.closed":
                break
    return events


async def live_left(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", websocket_base_url=url)
    async with client.live.connect() as connection:
        await connection.session.start(session={"model": "gpt-live-1"})
        async for event in connection:
            if event.type == "session.usage.updated":
                return event
    return None


def sideband(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    with client.live.sideband.connect(session_id="live_1") as connection:
        return [connection.recv() for _ in range(2)]


def translation(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", websocket_base_url=url)
    with client.realtime.translations.connect(model="gpt-realtime-translate") as connection:
        first = connection.recv()
        connection.session.close()
        return [first, connection.recv()]


ANSWER = (messages(), messages(CREATED, COMPLETED))
LANES = (messages(), messages(_lane(CREATED, 1)), messages(_lane(CREATED, 2), _lane(BROKE, 1), _lane(COMPLETED, 2)))
FAILED = call({}, [], source="missing", end="failed", error="server_error")
TALK = (
    messages(),
    messages(STARTED, SO_FAR, _delegated(CREATED), _delegated(COMPLETED), LATER, DECISION),
    messages(SECONDS),
)
TALKED = (over(TOKENS), over(CHOSEN), over({}, meters={"audio_seconds": 12.5}))
PARTLY = call({}, [], source="partial_stream", end="closed", meters={"audio_seconds": 4.5})
OVERHEARD = over({}, scope="retrieve", meters={"audio_seconds": 12.5})
CREATED_SESSION = {"type": "session.created", "event_id": "event_1", "session": SESSION | {"model": "gpt-translate"}}
UNSAID = (
    messages(CREATED_SESSION),
    messages({"type": "session.closed", "event_id": "event_2"}),
)

QUICKSTARTS: tuple[Quickstart, ...] = (
    quickstart("responses over a websocket", responses, ANSWER, (over(TOKENS),), "responses.connect"),
    quickstart("responses over a websocket async", responses_async, ANSWER, (over(TOKENS),), "responses.connect"),
    quickstart("responses over a websocket in lanes", responses_in_lanes, LANES, (FAILED, over(TOKENS)), "live"),
    quickstart(
        "responses over a websocket refused",
        responses,
        (messages(), messages({"type": "error", "status": 400, "error": PROTOCOL})),
        (),
        "responses.connect",
    ),
    quickstart("live", live, TALK, TALKED, "live.connect"),
    quickstart("live async left", live_left, (messages(), messages(STARTED, SO_FAR)), (PARTLY,), "live.connect"),
    quickstart("live sideband", sideband, (messages(LATER, SECONDS),), (OVERHEARD,), "live.sideband.connect"),
    quickstart(
        "realtime translation",
        translation,
        UNSAID,
        (call({}, [], source="missing", end="complete"),),
        "realtime.translations.connect",
    ),
)
