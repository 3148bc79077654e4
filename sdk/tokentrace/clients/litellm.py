"""The `litellm` package, by its public doors: its Router and its retries go through them.

Where it calls a client that we meter, that call bears the cost; of what its own HTTP handlers send, ours does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from tokentrace.calls.gateway import passes_on
from tokentrace.integration import EVERY, Call, Integration, Request, Seam
from tokentrace.providers.hosts import PROXY
from tokentrace.providers.registry import NAMES
from tokentrace.streams.tap import AsyncPartTap, Listener, PartTap
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Format, Reading, Say, dig, items, mapping, text
from tokentrace.wire import chat, cohere, completions, embeddings, images, responses, transcription
from tokentrace.wire.tally import Tally

_FIELDS = ("id", "model", "service_tier", "meta", "type", "duration")
_COUNTED = ("data", "output", "status", "incomplete_details", "tool_usage")
"""Fields of images and responses, which are told by their number or kind."""


class _Shown(NamedTuple):
    """A part of a stream, and the chunks of the provider that it was made of, as the stream keeps them."""

    part: Any
    chunks: Sequence[Any]
    is_kept: bool
    """Whether it comes out of litellm's own cache."""


class _Beside:
    """Shows a listener what a stream keeps to itself: the usage, which it hides from the application or makes up."""

    def __init__(self, listener: Listener, stream: Any) -> None:
        self._listener, self._stream, self._shown = listener, stream, 0
        self.enter, self.leave, self.end = listener.enter, listener.leave, listener.end

    def part(self, part: Any, /) -> None:
        chunks = self._stream.chunks
        is_kept = dig(self._stream, "custom_llm_provider") == "cached_response"
        self._listener.part(_Shown(part, chunks[self._shown :], is_kept))
        self._shown = len(chunks)


def _told(result: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    """What a result says of its bill, as the JSON that its format reads; no vectors, no text."""
    part = {name: _plain(value) for name in fields if (value := dig(result, name)) is not None}
    usage = _plain(dig(result, "usage"))
    # Where nobody has counted, litellm fills in zeros.
    part["usage"] = None if dig(usage, "total_tokens") == 0 else usage
    if choices := items(dig(result, "choices")):
        part["choices"] = [_choice(choice) for choice in choices]
    return part


def _grown(before: Mapping[str, Any], usage: Mapping[str, Any]) -> dict[str, Any]:
    """A usage by the larger of its counts: the last chunk of some releases says zero of what an earlier one counted."""
    grown = dict(before)
    for name, value in usage.items():
        known = grown.get(name)
        if isinstance(value, Mapping):
            grown[name] = _grown(mapping(known), mapping(value))
        elif value is not None:
            grown[name] = max(known, value) if isinstance(known, int) and isinstance(value, int) else value
    return grown


def _choice(choice: Any) -> dict[str, Any]:
    place = "delta" if dig(choice, "message") is None and dig(choice, "text") is None else "message"
    reasoning = {"reasoning_content": dig(choice, place, "reasoning_content")}
    return {"index": dig(choice, "index"), "finish_reason": dig(choice, "finish_reason"), place: reasoning}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in items(value)]
    dump = getattr(value, "model_dump", None)
    return dump() if callable(dump) else value


def _format(fmt: Format, fields: tuple[str, ...] = _FIELDS) -> Format:
    """A format, read from litellm's objects."""

    def read(result: Any, seen: Reading) -> None:
        if isinstance(result, _Shown):
            if result.is_kept:
                seen.facts["kept_answer"] = True
            part = _told(result.part, fields) | {"usage": None}
            for chunk in result.chunks:
                part["usage"] = _grown(mapping(part["usage"]) or seen.usage, mapping(_plain(dig(chunk, "usage"))))
            fmt.read(part, seen)
            return
        if dig(result, "_hidden_params", "cache_hit"):
            seen.facts["kept_answer"] = True
        part = _told(result, fields)
        if (response := dig(result, "response")) is not None:
            part["response"] = _told(response, fields)
        fmt.read(part, seen)

    def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
        usage = fmt.count(seen, provider, context)
        flags = dict(usage.flags)
        if "reported_cost_usd" in flags and not passes_on(seen.usage, streamed="streamed" in context):
            flags["cost_reporter"] = PROXY
        if "kept_answer" in seen.facts:
            # Out of litellm's own cache, nobody bills it.
            flags["billable"] = False
        return usage._replace(flags=flags)

    return Format(fmt.name, read, count, fmt.marks, _sayer(fmt), compose=fmt.compose)


def _sayer(fmt: Format) -> Say | None:
    if (inner := fmt.say) is None:
        return None
    return lambda result, said: inner(_plain(result.part if isinstance(result, _Shown) else result), said)


def _read_audio(_result: Any, seen: Reading) -> None:
    seen.complete = True


def _count_spoken(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format.
    counts = Tally()
    counts.meter("characters", context.get("characters") if seen.complete else None)
    return counts.settle(seen, context)


_SPEECH = Format("speech", _read_audio, _count_spoken, chat.FORMAT.marks)

_DOORS: tuple[tuple[str, str, Format, str], ...] = (
    ("completion", "chat", _format(chat.FORMAT), "model messages"),
    ("text_completion", "text_completion", _format(completions.FORMAT), "prompt model"),
    ("embedding", "embeddings", _format(embeddings.FORMAT), "model input"),
    ("responses", "chat", _format(responses.FORMAT, (*_FIELDS, *_COUNTED)), "input model"),
    ("image_generation", "image_generation", _format(images.FORMAT, (*_FIELDS, *_COUNTED)), "prompt model"),
    ("image_edit", "image_generation", _format(images.FORMAT, (*_FIELDS, *_COUNTED)), "image"),
    ("transcription", "transcription", _format(transcription.FORMAT), "model file"),
    ("speech", "speech", _SPEECH, "model input"),
    ("rerank", "rerank", _format(cohere.FORMAT), "model query documents"),
)
"""The name of each function, without the `a` of the one that is awaited, and of its first parameters."""


def _describe(call: Call, operation: str, fmt: Format, parameters: tuple[str, ...]) -> Request | None:
    asked = {**dict(zip(parameters, call.args, strict=False)), **call.kwargs}
    if asked.get("mock_response") is not None:
        # Nobody is asked.
        return None
    model = text(asked.get("model")) or ""
    provider, model = _whose(model, text(asked.get("custom_llm_provider")))
    facts: dict[str, Any] = {}
    if fmt is _SPEECH and (spoken := text(call.arg(1, "input"))):
        facts["characters"] = len(spoken)
    if asked.get("stream") is True:
        facts["streamed"] = True
    return Request(
        provider=provider,
        operation=operation,
        model=model or None,
        format=fmt,
        stream="streamed" in facts,
        http=EVERY,
        reads_body=False,
        facts=facts or NOTHING,
        prompt=asked,
        # Its callbacks write into the span that is current: prompts and answers, and counts that it has guessed.
        is_hidden=True,
    )


def _whose(model: str, told: str | None) -> tuple[str, str]:
    """Provider and model, of a name that may have the provider before it."""
    prefix, _, rest = model.partition("/")
    # Its own table says it of plain names; it is there, as this very function is litellm's.
    listed = mapping(dig(sys.modules.get("litellm"), "model_cost")).get(model)
    known = told or text(dig(listed, "litellm_provider")) or (prefix if rest else None) or "litellm"
    named = NAMES.get(known) or NAMES.get(known.partition("-")[0], known)
    return named, rest if rest and prefix in (known, told, *_kin(named)) else model


def _kin(provider: str) -> Iterator[str]:
    """All names of a provider."""
    return (alias for alias, name in NAMES.items() if name == provider)


def _tap(result: Any, listener: Listener) -> Any:
    # A stream of litellm can be read either way, whichever function it came from.
    return PartTap(result, _beside(listener, result)) if hasattr(result, "__next__") else None


def _tap_async(result: Any, listener: Listener) -> Any:
    return AsyncPartTap(result, _beside(listener, result)) if hasattr(result, "__anext__") else None


def _beside(listener: Listener, stream: Any) -> Listener:
    return _Beside(listener, stream) if isinstance(getattr(stream, "chunks", None), list) else listener


def _seams() -> Iterator[Seam]:
    for name, operation, fmt, parameters in _DOORS:
        describe: Callable[[Call], Request | None] = partial(
            _describe, operation=operation, fmt=fmt, parameters=tuple(parameters.split())
        )
        yield Seam("litellm", name, describe, tap=_tap)
        yield Seam("litellm", f"a{name}", describe, awaited=True, tap=_tap_async)


INTEGRATION = Integration(library="litellm", seams=tuple(_seams()))
