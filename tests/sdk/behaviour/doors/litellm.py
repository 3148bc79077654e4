"""`litellm`: through the client of OpenAI, which is metered too, and by its own HTTP handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quickstarts import litellm as told, litellm_answers as answers
from shapes.api import named
from shapes.shape import SYNC

from behaviour.door import Door, Settings


def _client(model: str, **always: Any) -> Callable[[Settings], Any]:
    def build(settings: Settings) -> Any:
        library = told._litellm()
        name = "completion" if settings.mode == SYNC else "acompletion"
        options = {"model": model, "api_base": settings.url, "timeout": settings.timeout, **told.ASK, **always}
        if settings.retries:
            options["num_retries"] = settings.retries
        else:
            options["max_retries"] = 0

        # Looked up late, as an application does that calls `litellm.completion`.
        def ask(**more: Any) -> Any:
            return getattr(library, name)(**options, **more)

        return ask

    return build


def _open(client: Any) -> Any:
    stream = client(stream=True, stream_options={"include_usage": True})
    # What does not await can be read either way: this application reads it plainly.
    return (part for part in stream) if hasattr(stream, "__next__") else stream


# It tries again by rules of its own, and tells in its errors how long it took.
_RETRIES = {
    "connection lost before the answer",
    "connection lost, then 200",
    "timeout before the answer",
    "timeout, then 200",
    "every attempt refused",
    "retries around the retries of a client",
    "Ctrl-C in flight",
    "Ctrl-C in mid-stream",
}
# It reads ahead of the application, as far as there is something to read.
_AHEAD = {
    "`break`, then collected",
    "left by an error of the application",
    "passed on by a generator that is closed",
    "dropped by another thread",
    "dropped by a task",
    "left open when the loop ends",
    "Ctrl-C between two parts",
}
# A stream that breaks is an error before it is one, and one that merely ends is given an end.
_BREAKS = {
    "answer without usage",
    "connection lost in mid-stream",
    "timeout in mid-stream",
    "stream that ends before its answer",
    "error event in mid-stream",
    "task cancelled in mid-stream",
}

OPENAI = Door(
    name="litellm → openai",
    module="litellm",
    client=_client("openai/gpt-5"),
    ask=lambda client: client(),
    open=_open,
    whole=answers.CHAT,
    events=answers.CHUNKS,
    tokens=answers.CHAT_TOKENS,
    lacks=frozenset(_RETRIES | _AHEAD | (_BREAKS - {"answer without usage"})),
)
HANDLERS = Door(
    name="litellm → anthropic",
    module="litellm",
    client=_client("anthropic/claude-sonnet-4-5"),
    ask=lambda client: client(),
    open=_open,
    whole=answers.MESSAGE,
    events=answers.EVENTS,
    tokens=answers.MESSAGE_TOKENS,
    begun=answers.MESSAGE_TOKENS | {"output_text": 1},
    lacks=frozenset(_RETRIES | _BREAKS),
    facts={
        "error event": named({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "error": "overloaded_error",
    },
)
