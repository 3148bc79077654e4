"""Usage as any provider reports it, sorted into disjoint buckets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokentrace.providers.registry import NAMES
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Format, Reading, items, mapping


def read_usage(raw: Any, *, provider: str, api: str | None = None, context: Mapping[str, Any] | None = None) -> Usage:
    """The buckets of what a provider reported.

    `raw` is a usage object, a whole response, the list of events of a stream (also as `{"chunks": […]}` or
    `{"events": […]}`), None, or a vendor's object that holds one of them. Without an `api` its shape decides.
    `context` says what is known beside the response, such as `http_status`.
    """
    provider = NAMES.get(provider, provider)
    whole = _plain(raw)
    parts = [_plain(part) for part in items(whole)] if isinstance(whole, (list, tuple)) else [whole]
    spoken = _spoken(parts, provider, api)
    seen = Reading()
    for part in parts:
        spoken.read(part, seen)
    # Nothing in a response's place for it: what was handed over is the usage itself.
    if not seen.usage and not isinstance(whole, (list, tuple)):
        spoken.read({"usage": whole, "usageMetadata": whole}, seen)
        seen.complete = True
    return spoken.count(seen, provider, NOTHING if context is None else context)


def _spoken(parts: Sequence[Any], provider: str, api: str | None) -> Format:
    # An application that only makes calls never needs all formats.
    from tokentrace.wire import apis, chat, shape  # noqa: PLC0415

    if api is None:
        return next((found for part in parts if (found := shape.of(mapping(part)))), chat.FORMAT)
    if (known := apis.spoken_by(provider, api)) is None:
        raise ValueError(f"No wire format is known for the api {api!r}. Use one of: {', '.join(sorted(apis.FORMATS))}.")
    return known


def _plain(value: Any) -> Any:
    """A vendor's object as JSON; a stream as the list of its parts."""
    for method in ("to_dict", "model_dump"):
        if callable(dump := getattr(value, method, None)):
            value = dump()
            break
    streamed = mapping(value)
    return next((streamed[name] for name in ("chunks", "events") if name in streamed), value)
