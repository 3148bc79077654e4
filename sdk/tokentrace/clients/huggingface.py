"""The inference client of `huggingface_hub`: its router, the providers behind, and servers of one's own."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, urlsplit

from tokentrace.clients._stainless import SENDS
from tokentrace.integration import EVERY, Call, Integration, Request, Seam
from tokentrace.providers.registry import NAMES
from tokentrace.usage.reading import Format, dig, text
from tokentrace.wire import chat, embeddings, generation, images, transcription

_ROUTER = "router.huggingface.co"
_OWN = frozenset({"", "v1", "hf-inference", "auto", "fastest", "cheapest", "preferred"})
"""What stands in the place of a provider's name, and is none: Hugging Face itself, and ways for it to choose."""

_TASKS: dict[str, tuple[str, Format]] = {
    "conversational": ("chat", chat.FORMAT),
    "text-generation": ("text_completion", generation.FORMAT),
    "feature-extraction": ("embeddings", embeddings.FORMAT),
    "text-to-image": ("image_generation", images.FORMAT),
    "image-to-image": ("image_generation", images.FORMAT),
    "automatic-speech-recognition": ("transcription", transcription.FORMAT),
}


def _describe(call: Call) -> Request | None:
    asked, stream = call.arg(0, "request_parameters"), call.kwargs.get("stream") is True
    # Releases without a stack of open responses send through other libraries: nobody sees their streams and requests.
    is_seen = hasattr(call.instance, "exit_stack")
    if stream and not is_seen:
        return None
    # Every other task costs time on a machine, of which no answer tells.
    operation, fmt = _TASKS.get(asked.task, (str(asked.task).replace("-", "_"), generation.FORMAT))
    url = urlsplit(str(asked.url))
    model = text(asked.model) or text(dig(asked.json, "model"))
    return Request(
        provider=_provider(call.instance, url, model or ""),
        operation=operation,
        model=model,
        format=fmt,
        host=url.hostname,
        port=url.port,
        stream=stream,
        http=EVERY if is_seen else None,
        # A whole answer is streamed too, but beneath the function, which gives its bytes.
        reads_body=stream,
        prompt=asked.json,
    )


def _provider(client: Any, url: SplitResult, model: str) -> str:
    """Who answers: a provider behind the router by a name of its own, for it has prices of its own there."""
    if url.hostname == _ROUTER:
        named = url.path.split("/")[1]
        if named == "v1":
            named = model.rpartition(":")[2] if ":" in model else ""
        return "huggingface" if named in _OWN else f"huggingface_{named}"
    named = text(client.provider) or ""
    # A client that was made for an address does not look at its provider.
    if named in _OWN or str(client.model).startswith("http"):
        return "huggingface"
    return NAMES.get(named.replace("-", "_"), named)


INTEGRATION = Integration(
    library="huggingface_hub",
    seams=(
        Seam("huggingface_hub.inference._client", "InferenceClient._inner_post", _describe),
        Seam(
            "huggingface_hub.inference._generated._async_client",
            "AsyncInferenceClient._inner_post",
            _describe,
            awaited=True,
        ),
    ),
    attempts=SENDS,
)
