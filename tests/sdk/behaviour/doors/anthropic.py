"""`anthropic`: messages."""

from __future__ import annotations

from typing import Any

from shapes import anthropic_messages as messages
from shapes.api import named
from shapes.shape import SYNC

from behaviour.door import Door, Settings


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    import anthropic

    kind = anthropic.Anthropic if settings.mode == SYNC else anthropic.AsyncAnthropic
    return kind(api_key="-", base_url=settings.url, max_retries=settings.retries, timeout=settings.timeout)


def _ask(client: Any, **more: Any) -> Any:
    return client.messages.create(**messages.ASK, **more)


MESSAGES = Door(
    name="anthropic",
    module="anthropic",
    client=client,
    ask=_ask,
    open=lambda client: _ask(client, stream=True),
    whole=messages.body(),
    events=messages.EVENTS,
    tokens=messages.TOKENS,
    begun=messages.BEGUN,
    verbs={
        "raw": lambda client: client.messages.with_raw_response.create(**messages.ASK),
        "raw stream": lambda client: client.messages.with_raw_response.create(**messages.ASK, stream=True),
        "streaming response": lambda client: client.messages.with_streaming_response.create(**messages.ASK),
        "streaming response stream": lambda client: client.messages.with_streaming_response.create(
            **messages.ASK, stream=True
        ),
        "parse": lambda client: client.messages.parse(**messages.ASK, output_format=messages.Answered),
        "helper": lambda client: client.messages.stream(**messages.ASK),
    },
    facts={
        "error event": named({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "error": "overloaded_error",
    },
)
