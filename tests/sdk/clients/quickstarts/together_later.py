"""The quick starts of `together` for what is answered later: batches, and speech that is transcribed as it is heard."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

from shapes.api import call
from shapes.provider import Answer, reply

from quickstarts import compatible
from quickstarts.quickstart import Quickstart
from quickstarts.sockets import messages, socket

MODEL = "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo"
EAR = "openai/whisper-large-v3"
USAGE = {"prompt_tokens": 46, "completion_tokens": 42, "total_tokens": 88, "cached_tokens": 16}
JOB = {"id": "batch-1", "status": "VALIDATING", "endpoint": "/v1/chat/completions"}
OVER = JOB | {"status": "COMPLETED", "output_file_id": "file-2"}


def _line(name: str, body: Any) -> bytes:
    return json.dumps({"custom_id": name, "response": {"status_code": 200, "body": body}}).encode() + b"\n"


FILE = Answer(
    headers={"content-type": "application/octet-stream"},
    parts=(
        _line("chat", compatible.completion(MODEL, USAGE)),
        _line("heard", {"text": "Hello.", "language": "en", "duration": 12.5}),
        b'{"custom_id": "refused", "error": {"message": "No."}}\n',
    ),
)


def batch(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    job = client.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions").job
    job = client.batches.retrieve(job.id)
    with client.files.with_streaming_response.content(id=job.output_file_id) as response:
        return list(response.iter_lines())


async def batch_async(url: str) -> Any:
    from together import AsyncTogether

    client = AsyncTogether(api_key="-", base_url=url)
    return await (await client.files.content(id="file-2")).text()


HEARD = "conversation.item.input_audio_transcription."
GREETED = messages({"type": "session.created", "session": {"id": "sess-1", "model": EAR}})
HEARING = {"type": f"{HEARD}delta", "item_id": "item-1", "delta": "Hello"}
FIRST = {"type": f"{HEARD}completed", "item_id": "item-1", "transcript": "Hello.", "start": 0.0, "duration": 2.5}
SECOND = {"type": f"{HEARD}completed", "item_id": "item-2", "transcript": "Bye.", "start": 2.5, "duration": 1.25}
BROKEN = {"type": f"{HEARD}failed", "item_id": "item-3", "event_type": "completed", "error": {"type": "server_error"}}
BARE = {"type": f"{HEARD}completed", "transcript": "Hello."}
UPDATE = {"type": "input_audio_buffer.processed", "processed_ms": 2500.0}
SOUND = b"\0\1" * 8


def realtime(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    with client.beta.realtime.connect(model=EAR) as connection:
        events = [connection.recv()]
        connection.input_audio_buffer.append(SOUND)
        connection.input_audio_buffer.commit()
        return [*events, *(connection.recv() for _ in range(5))]


async def realtime_async(url: str) -> Any:
    from together import AsyncTogether

    client = AsyncTogether(api_key="-", base_url=url)
    async with client.beta.realtime.connect(model=EAR) as connection:
        await connection.input_audio_buffer.append(SOUND)
        return [event async for event in connection]


def transcribed(url: str) -> Any:
    from together import Together

    client = Together(api_key="-", base_url=url)
    session = client.beta.realtime.transcription(model=EAR)
    session.start()
    session.append(SOUND)
    text = next(event.text for event in session if event.type == "transcript.completed")
    session.close()
    return text


def _listens() -> bool:
    return find_spec("together.lib.realtime") is not None


def _turn(seconds: float) -> dict[str, Any]:
    return call({}, [], end="complete", meters={"audio_seconds": seconds})


TOKENS = {"input_text": 30, "cache_read": 16, "output_text": 42}
ANSWERS = (
    call(TOKENS, [], scope="retrieve"),
    call({}, [], scope="retrieve", meters={"audio_seconds": 12.5}),
    call({}, scope="aggregate", billable="false", end="complete"),
)
WHOLE = (*ANSWERS[:-1], call({}, scope="aggregate", billable="false"))
TWICE = (GREETED, messages(HEARING, FIRST, UPDATE), messages(SECOND, BROKEN))
TURNS = (_turn(2.5), _turn(1.25), call({}, [], source="missing", end="failed", error="server_error"))
LOST = (GREETED, messages(FIRST, HEARING | {"item_id": "item-2"}, lost="Bye."))
LEFT = call({}, [], source="missing", end="failed", error="ConnectionClosedError")
UNMEASURED = (call({}, [], source="missing", end="complete"),)

QUICKSTARTS = (
    Quickstart("batch", batch, (reply({"job": JOB}), reply(OVER), FILE), ANSWERS),
    Quickstart("batch async", batch_async, (FILE,), WHOLE),
    Quickstart("realtime", realtime, TWICE, TURNS, serve=socket, needs=_listens),
    Quickstart("realtime async lost", realtime_async, LOST, (_turn(2.5), LEFT), serve=socket, needs=_listens),
    Quickstart(
        "realtime transcription", transcribed, (GREETED, messages(FIRST)), (_turn(2.5),), serve=socket, needs=_listens
    ),
    Quickstart(
        "realtime transcription unmeasured",
        transcribed,
        (GREETED, messages(BARE)),
        UNMEASURED,
        serve=socket,
        needs=_listens,
    ),
)
