"""The websockets of `openai`: Realtime and its translation, Responses, and Live."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import Call, Describe, Follow, Message, Request, SessionSeam, Turn
from tokentrace.usage.reading import NOTHING, Format, dig, mapping, text
from tokentrace.wire import spoken

_HEARD = "conversation.item.input_audio_transcription."
_OVER = frozenset({f"response.{how}" for how in ("completed", "incomplete", "failed", "cancelled", "done")})
_TOLD = (
    rb'"type"\s*:\s*"(?:(?:transcription_)?session\.(?:created|updated|started|usage\.updated|closed)'
    rb"|response\.(?:created|completed|incomplete|failed|cancelled|done|event)"
    rb'|conversation\.item\.input_audio_transcription\.(?:delta|completed|failed)|decision\.event|error)"'
)
"""What is worth parsing; all else is content, which is nobody's business."""


def _event(content: Any) -> tuple[str, Mapping[str, Any]]:
    """The type of a message and the message, where it says something of a bill."""
    if isinstance(content, bytes) and re.search(_TOLD, content):
        with suppress(ValueError):
            event = mapping(json.loads(content))
            return text(event.get("type")) or "", event
    return "", NOTHING


def _asked(message: Message, operation: str, fmt: Format, model: str | None = None) -> Request:
    return message.session._replace(operation=operation, format=fmt, model=model)


def _realtime(message: Message) -> Turn | None:
    """A response, or the transcription of what was said, which another model makes."""
    kind, event = _event(message.content)
    if kind.startswith(("session.", "transcription_session.")):
        _note_models(mapping(event.get("session")), message.notes)
    elif kind in {"response.created", "response.done"}:
        # The model belongs to the session, and no response repeats it.
        response = {"model": message.notes.get("model"), **mapping(event.get("response"))}
        key = text(response.get("id")) or kind
        asked = _asked(message, "chat", spoken("responses"), message.session.model or message.notes.get("model"))
        return Turn(key, asked, {"type": kind, "response": response}, kind in _OVER)
    elif kind.startswith(_HEARD):
        return _transcribed(message, event, is_over=kind != f"{_HEARD}delta")
    return None


def _note_models(session: Mapping[str, Any], notes: dict[str, Any]) -> None:
    notes["model"] = text(session.get("model")) or notes.get("model")
    transcriber = dig(session, "audio", "input", "transcription") or session.get("input_audio_transcription")
    notes["transcriber"] = text(dig(transcriber, "model")) or notes.get("transcriber")


def _transcribed(message: Message, event: Mapping[str, Any], *, is_over: bool) -> Turn:
    key = f"{event.get('item_id')} {event.get('content_index')}"
    model = message.notes.get("transcriber")
    told = {"usage": event.get("usage"), "error": event.get("error")} if is_over else {"type": event.get("type")}
    return Turn(
        key, _asked(message, "transcription", spoken("transcription"), model), {"model": model, **told}, is_over
    )


def _responses(message: Message) -> Turn | None:
    """A response; an error belongs to the one that is open in its lane."""
    kind, event = _event(message.content)
    lane = f"lane {event.get('stream_id')}"
    key = text(dig(event, "response", "id"))
    if kind == "error":
        key = message.notes.get(lane)
    if key is None or not (kind == "response.created" or kind in _OVER or kind == "error"):
        return None
    message.notes[lane] = key if kind == "response.created" else None
    return Turn(key, _asked(message, "chat", spoken("responses")), event, kind != "response.created")


def _live(message: Message) -> Turn | None:
    """The audio of the session as a whole, and what it has delegated to other models."""
    kind, event = _event(message.content)
    if kind.startswith("session."):
        asked = _asked(
            message, "live", spoken("duration"), text(dig(event, "session", "model")) or message.session.model
        )
        return Turn("session", asked, event, kind == "session.closed")
    nested = mapping(event.get("event"))
    if kind == "decision.event" and (decision := mapping(nested.get("decision"))):
        # It has no id of its own, by which one that two connections hear could be told.
        whole = {**decision, "id": event.get("event_id")}
        return Turn(f"{event.get('event_id')}", _asked(message, "decision", spoken("responses")), whole, is_over=True)
    key, told = text(dig(nested, "response", "id")), nested.get("type")
    if key is None or not (told == "response.created" or told in _OVER):
        return None
    return Turn(key, _asked(message, "chat", spoken("responses")), nested, told in _OVER)


def _described(scope: str) -> Describe:
    def describe(call: Call) -> Request:
        """What the manager of a connection knows; one that was open before has forgotten it."""
        known = {name.rpartition("__")[2]: value for name, value in getattr(call.instance, "__dict__", {}).items()}
        client = known.get("client")
        url = urlsplit(str(getattr(client, "websocket_base_url", None) or getattr(client, "base_url", "")))
        kinds = {kind.__name__.removeprefix("Async") for kind in type(client).__mro__}
        return Request(
            provider="azure.ai.openai" if "AzureOpenAI" in kinds else "openai",
            operation="chat",
            model=text(known.get("model")),
            format=spoken("responses"),
            host=url.hostname,
            port=url.port,
            stream=True,
            scope=scope,
        )

    return describe


def _seams(module: str, name: str, follow: Follow, scope: str = "call") -> Iterator[SessionSeam]:
    place, describe = f"openai.resources.{module}", _described(scope)
    for kind, enter in (("", "__enter__"), ("Async", "__aenter__")):
        connection, awaited = f"{kind}{name}Connection", kind == "Async"
        yield SessionSeam(place, f"{connection}Manager.{enter}", describe, awaited=awaited)
        yield SessionSeam(place, f"{connection}Manager.enter", describe, awaited=awaited)
        # Below the parsing, which an application may do by itself.
        yield SessionSeam(place, f"{connection}.recv_bytes", describe, follow, awaited=awaited)
        yield SessionSeam(place, f"{connection}.close", awaited=awaited, closes=True)


SEAMS = (
    *_seams("realtime.realtime", "Realtime", _realtime),
    *_seams("beta.realtime.realtime", "Realtime", _realtime),
    *_seams("realtime.translations.translations", "Translations", _live),
    *_seams("responses.responses", "Responses", _responses),
    *_seams("beta.responses.responses", "Responses", _responses),
    *_seams("live.live", "Live", _live),
    *_seams("live.forks", "Forks", _live),
    # It listens to a session of another connection, which may be one of ours.
    *_seams("live.sideband", "Sideband", _live, scope="retrieve"),
)
