"""Usage as any provider reports it, sorted into disjoint buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace import wire
from tokentrace.providers import NAMES
from tokentrace.reading import NOTHING, Reading, items, mapping
from tokentrace.usage import Usage


def read_usage(raw: Any, *, provider: str, api: str, context: Mapping[str, Any] | None = None) -> Usage:
    """The buckets of what a provider reported.

    `raw` is a usage object, a whole response, the list of events of a stream (also as `{"chunks": […]}` or
    `{"events": […]}`), None, or a vendor's object that holds one of them. `context` says what is known beside the
    response, such as `http_status`.
    """
    if (spoken := wire.FORMATS.get(api)) is None:
        raise ValueError(f"No wire format is known for the api {api!r}. Known are: {', '.join(sorted(wire.FORMATS))}.")
    seen = Reading()
    whole = _plain(raw)
    if isinstance(whole, (list, tuple)):
        for part in items(whole):
            spoken.read(_plain(part), seen)
    else:
        spoken.read(whole, seen)
        # Nothing in a response's place for it: what was handed over is the usage itself.
        if not seen.usage:
            seen.usage, seen.complete = mapping(whole), True
    return spoken.count(seen, NAMES.get(provider, provider), NOTHING if context is None else context)


def _plain(value: Any) -> Any:
    """A vendor's object as JSON; a stream as the list of its parts."""
    for method in ("to_dict", "model_dump"):
        if callable(dump := getattr(value, method, None)):
            value = dump()
            break
    streamed = mapping(value)
    return next((streamed[name] for name in ("chunks", "events") if name in streamed), value)
