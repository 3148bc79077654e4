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
        function = library.completion if settings.mode == SYNC else library.acompletion
        options = {"model": model, "api_base": settings.url, "timeout": settings.timeout, **told.ASK, **always}
        if settings.retries:
            options["num_retries"] = settings.retries
        else:
            options["max_retries"] = 0

        # Looked up late, as an application does that calls `litellm.completion`.
        def ask(**more: Any) -> Any:
            return getattr(library, function.__name__)(**options, **more)

        return ask

    return build


def _open(client: Any) -> Any:
    stream = client(stream=True, stream_options={"include_usage": True})
    # What does not await can be read either way: this application reads it plainly.
    return (part for part in stream) if hasattr(stream, "__next__") else stream


OPENAI = Door(
    name="litellm → openai",
    module="litellm",
    client=_client("openai/gpt-5"),
    ask=lambda client: client(),
    open=_open,
    whole=answers.CHAT,
    events=answers.CHUNKS,
    tokens=answers.CHAT_TOKENS,
    facts={"waits": True},
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
    facts={
        "waits": True,
        "error event": named({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "error": "overloaded_error",
    },
)
