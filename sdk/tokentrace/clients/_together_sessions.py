"""Realtime transcription of `together`, over a websocket: what is said in one turn is a call of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tokentrace.integration import Call, Message, Request, SessionSeam, Turn
from tokentrace.usage.reading import dig, text
from tokentrace.wire import spoken

_PLACE = "together.lib.realtime._connection"
_HEARD = "conversation.item.input_audio_transcription."
_ENDS = frozenset({f"{_HEARD}completed", f"{_HEARD}failed"})


def _describe(call: Call) -> Request:
    """What the manager of a connection knows; one that was open before has forgotten it."""
    url = dig(call.instance, "_client", "base_url")
    return Request(
        provider="together",
        operation="transcription",
        model=text(dig(call.instance, "_model")),
        format=spoken("transcription"),
        host=dig(url, "host"),
        port=dig(url, "port"),
        stream=True,
    )


def _follow(message: Message) -> Turn | None:
    """A turn, whose last event tells how long it was."""
    event, kind = message.content, text(dig(message.content, "type")) or ""
    if kind == "session.created":
        message.notes["model"] = text(dig(event, "session", "model"))
    if kind not in _ENDS and kind != f"{_HEARD}delta":
        return None
    model = message.session.model or message.notes.get("model")
    told: dict[str, Any] = {"model": model, "type": kind}
    if kind in _ENDS:
        error = dig(event, "error")
        fault = {"type": dig(error, "type"), "code": dig(error, "code") or "error"} if error else None
        told = {"model": model, "duration": dig(event, "duration"), "error": fault}
    return Turn(f"{dig(event, 'item_id')}", message.session._replace(model=model), told, kind in _ENDS)


def _seams() -> Iterator[SessionSeam]:
    for kind, awaited in (("", False), ("Async", True)):
        connection = f"{kind}RealtimeConnection"
        yield SessionSeam(_PLACE, f"{connection}Manager.connect", _describe, awaited=awaited)
        yield SessionSeam(_PLACE, f"{connection}.recv", _describe, _follow, awaited=awaited)
        yield SessionSeam(_PLACE, f"{connection}.close", awaited=awaited, closes=True)


SEAMS = tuple(_seams())
