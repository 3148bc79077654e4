"""The Live sessions of `google-genai`: a turn of one is a call that is billed."""

from __future__ import annotations

import inspect

from tokentrace.clients._google import request
from tokentrace.integration import Call, Message, Request, SessionSeam, Turn
from tokentrace.usage.reading import dig, text
from tokentrace.wire import live

_MODULE = "google.genai.live"


def _describe(call: Call) -> Request:
    """What the session knows; one that was open before has no model that could be told."""
    model = _model()
    return request(call, "live", live.FORMAT, model, stream=True, http=None, facts={"requested_model": model})


def _model() -> str | None:
    """The model that is being connected to: no object keeps it, only the function does that opens the session."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") != _MODULE:
        frame = frame.f_back
    model = text(frame.f_locals.get("model")) if frame is not None else None
    return model.removeprefix("models/") if model else None


def _turn(message: Message) -> Turn | None:
    """What is said or asked of tools, up to the end of the turn and the counts that come with it."""
    told, notes = message.content, message.notes
    content, usage = dig(told, "server_content"), dig(told, "usage_metadata")
    began = bool(dig(content, "model_turn") or dig(told, "tool_call") or usage)
    if not (began or notes.get("is_open")):
        return None
    # Counts that come alone, with nothing open, are those of a turn that is over already.
    is_late = content is None and dig(told, "tool_call") is None and not notes.get("is_open")
    is_over = is_late or bool(dig(content, "turn_complete"))
    notes["is_open"] = not is_over
    return Turn("turn", message.session, told, is_over)


SEAMS = (
    SessionSeam(_MODULE, "AsyncSession.__init__", _describe),
    SessionSeam(
        _MODULE,
        "AsyncSession._receive",
        _describe,
        _turn,
        awaited=True,
        # Releases differ in whose error it is when the connection is lost.
        losses=("ConnectionClosed", "APIError"),
    ),
    SessionSeam(_MODULE, "AsyncSession.close", awaited=True, closes=True),
)
