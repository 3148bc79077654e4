"""The `xai-sdk` client, which speaks gRPC: its retries happen below Python, where nobody can count them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import wrapt

from tokentrace import context
from tokentrace.calls import native
from tokentrace.clients import _xai_later
from tokentrace.integration import Call, Describe, Integration, Request, Seam
from tokentrace.usage.reading import NOTHING, Reading, Said, dig, items
from tokentrace.wire import xai

_WORLDS = {"sync": False, "aio": True}
"""By subpackage: whether its functions are awaited."""

_MODULES = ("chat", "image", "video")


def _read(result: Any, seen: Reading) -> None:
    """A result of the client, by the message inside of it."""
    xai.read(_message(result), seen)


def _message(result: Any) -> Any:
    # The answers to one request are the same message, each with another of its choices.
    while answers := items(result):
        result = answers[0]
    message = dig(result, "_proto")
    return result if message is None else message


def _read_pair(pair: Any, seen: Reading) -> None:
    """One part of a stream: the answer so far, and the chunk, which alone says whether the answer is over."""
    _read(pair[1], seen)


def _say(result: Any, said: Said) -> None:
    xai.say(_message(result), said)


def _say_pair(pair: Any, said: Said) -> None:
    # The chunk alone: the answer so far says everything once more.
    xai.say(_message(pair[1]), said)


_FORMAT = replace(xai.FORMAT, read=_read, say=_say)
_STREAM = replace(xai.FORMAT, read=_read_pair, say=_say_pair)


def _overhear(module: ModuleType) -> Callable[[], object]:
    """Read an answer when it arrives: `parse` may fail with one that is billed, as it has not the shape asked for."""

    def made(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> None:
        wrapped(*args, **kwargs)
        meter = context.metering.get()
        # A stream makes its answer before anything has arrived.
        if meter is not None and meter.format is _FORMAT:
            meter.part(args[0])

    if not hasattr(module, "Response"):
        return lambda: None
    handle = wrapt.wrap_function_wrapper(module, "Response.__init__", made)
    return partial(wrapt.unwrap_object, module, "Response.__init__", handle, missing_ok=True)


def _request(operation: str, model: Any, *, stream: bool = False, scope: str = "call", **facts: Any) -> Request:
    fmt = _STREAM if stream else _FORMAT
    return Request("x_ai", operation, model or None, fmt, stream=stream, scope=scope, facts=facts or NOTHING)


def _chat(call: Call) -> Request:
    return _request("chat", call.instance._proto.model)._replace(prompt=call.instance._proto)


def _stream(call: Call) -> Request:
    return _request("chat", call.instance._proto.model, stream=True)._replace(prompt=call.instance._proto)


def _compact(call: Call) -> Request:
    return _request("chat", call.arg(0, "model"))


def _stored(_call: Call) -> Request:
    return _request("chat", None, scope="retrieve")


def _image(call: Call) -> Request:
    return _request("image_generation", call.arg(1, "model"))


def _video(call: Call) -> Request:
    return _request("video_generation", call.arg(1, "model"))


def _longer(call: Call) -> Request:
    return _request("video_generation", call.arg(1, "model"), added_seconds=call.kwargs.get("duration"))


_DESCRIBED: Mapping[str, Describe] = {
    "chat Chat.sample": _chat,
    "chat Chat.sample_batch": _chat,
    "chat Chat.parse": _chat,
    "chat Chat._defer": _chat,
    "chat Chat.compact": _chat,
    "chat Chat.stream": _stream,
    "chat Chat.stream_batch": _stream,
    "chat Client.compact_context": _compact,
    "chat Client.get_stored_completion": _stored,
    "image Client.sample": _image,
    "image Client.sample_batch": _image,
    "video Client.generate": _video,
    "video Client.extend": _longer,
    **_xai_later.DESCRIBED,
}
"""By module and name."""


def _seams() -> Iterator[Seam]:
    for world, awaited in _WORLDS.items():
        for place, describe in _DESCRIBED.items():
            module, name = place.split()
            yield Seam(f"xai_sdk.{world}.{module}", name, describe, awaited=awaited and describe is not _stream)


INTEGRATION = Integration(
    library="xai-sdk",
    seams=tuple(_seams()),
    attach={"xai_sdk.chat": _overhear}
    | {
        f"xai_sdk.{world}.{module}": native.silence("tracer.start_as_current_span", native.unrecorded)
        for world in _WORLDS
        for module in _MODULES
    },
)
