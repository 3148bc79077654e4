"""A provider on loopback that speaks through a websocket: its answers are messages, one part each."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from shapes.provider import Answer, Provider


@contextmanager
def socket(provider: Provider) -> Iterator[str]:
    """Serve a provider's answers in turn, one to each message after the first, which greets; gives the base URL."""
    from websockets.sync.server import serve

    with serve(partial(_speak, provider), "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def messages(*events: Any, lost: str | None = None) -> Answer:
    """An answer of several messages; where it is lost, the provider hangs up after them."""
    return Answer(parts=tuple(json.dumps(event).encode() for event in events), lost=lost)


def _speak(provider: Provider, connection: Any) -> None:
    _say(provider.answer("GET", connection.request.path, None), connection)
    for message in connection:
        sent = json.loads(message)
        _say(provider.answer("SEND", sent.get("type") or next(iter(sent)), sent), connection)


def _say(answer: Answer, connection: Any) -> None:
    for part in answer.parts:
        connection.send(part.decode())
    if answer.lost:
        connection.close(1011, answer.lost)
