"""`mistralai`: chat."""

from __future__ import annotations

from typing import Any

from quickstarts import mistral as told
from shapes.shape import ASYNC

from behaviour.door import Door, Settings

_ASK = {"model": told.MODEL, "messages": told.MESSAGES}


class _Awaiting:
    """The client with its awaited methods under the names of the others."""

    def __init__(self, client: Any) -> None:
        self.complete, self.stream = client.chat.complete_async, client.chat.stream_async
        self.create = client.embeddings.create_async


class _Plain:
    def __init__(self, client: Any) -> None:
        self.complete, self.stream = client.chat.complete, client.chat.stream
        self.create = client.embeddings.create


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    from mistralai.client.utils import BackoffStrategy, RetryConfig

    retry = RetryConfig("backoff", BackoffStrategy(1, 1, 1.0, 60_000), True) if settings.retries else None
    built = told.client(settings.url, retry_config=retry, timeout_ms=int(settings.timeout * 1000))
    return (_Awaiting if settings.mode == ASYNC else _Plain)(built)


MISTRAL = Door(
    name="mistral",
    module="mistralai.client",
    client=client,
    ask=lambda client: client.complete(**_ASK),
    open=lambda client: client.stream(**_ASK),
    whole=told.ANSWER,
    events=told.EVENTS,
    tokens=told.TOKENS,
    verbs={"embed": lambda client: client.create(model="mistral-embed", inputs=["2+2?"] * 8)},
    facts={
        "endless retries": True,
        "embed": (told.reply(told.EMBEDDED), {"input_text": 15}),
    },
)
