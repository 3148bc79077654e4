"""`groq`: chat completions."""

from __future__ import annotations

from typing import Any

from quickstarts import groq as told
from shapes.api import data
from shapes.shape import SYNC

from behaviour.door import Door, Settings

_ASK = {"messages": [{"role": "user", "content": "2+2?"}], "model": "openai/gpt-oss-120b"}


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    import groq

    kind = groq.Groq if settings.mode == SYNC else groq.AsyncGroq
    return kind(api_key="-", base_url=settings.url, max_retries=settings.retries, timeout=settings.timeout)


GROQ = Door(
    name="groq",
    module="groq",
    client=client,
    ask=lambda client: client.chat.completions.create(**_ASK),
    open=lambda client: client.chat.completions.create(**_ASK, stream=True),
    whole=told.ANSWER,
    events=told.EVENTS,
    tokens=told.TOKENS,
    verbs={
        "raw": lambda client: client.chat.completions.with_raw_response.create(**_ASK),
        "streaming response": lambda client: client.chat.completions.with_streaming_response.create(**_ASK),
    },
    facts={
        "error event": data({"error": {"message": "overloaded", "type": "server_error", "code": 500}}),
        "error": "server_error",
    },
)
