"""What a call sends, in the order in which the model reads it: pieces of a prompt, and how long each is."""

from __future__ import annotations

import marshal
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeAlias, cast

SYSTEM = "system"
TOOLS = "tool_definitions"
HISTORY = "history"
RESULTS = "tool_results"
USER = "user"
RETRIEVED = "retrieved"
MEDIA = "media"
KINDS = (SYSTEM, TOOLS, HISTORY, RESULTS, USER, RETRIEVED, MEDIA)


class Other(NamedTuple):
    """What is no text."""

    size: int = 0
    """Bytes of it as it is sent, where they make tokens as the bytes of a text do: definitions of tools, arguments."""

    most: int = 0
    """Tokens that it may take, where its bytes do not tell how many: an image, what the provider has kept."""

    mark: int = 0
    """Tells it from any other; means nothing outside of this process."""

    value: Any = None
    """What it is (never a copy), where it can be counted later: it may have been changed by then, and `mark` tells.

    Of an image, its source and how closely it is to be looked at.
    """


Piece: TypeAlias = tuple[str, str | Other]
"""Kind, and the text itself (never a copy) or what there is instead."""

Compose: TypeAlias = Callable[[Any], Sequence[Piece]]
"""The pieces of a request, in prompt order; raises `Unattributable` where it has a shape that is not known."""


class Unattributable(Exception):  # noqa: N818  (nothing is wrong: nobody knows this shape yet)
    """A part of a request of which nobody knows what it is: no share of the prompt can be told then."""


EVERYTHING = 1 << 31
"""Tokens of what the provider has kept: the rest, whatever it is."""

_IMAGE = 5_000
"""Tokens that an image may take."""

_PER_TOKEN = 16
"""Bytes of a compressed file, a PDF or a sound, that make one token at least."""

SHORT = 16 * 1024
"""Length of a text up to which its mark is its hash."""
_SAMPLE = 1024


def mark(text: str | bytes) -> int:
    """Tells a text from others; of a long one, its length, its ends and its middle do."""
    size = len(text)
    if size <= SHORT:
        return hash(text)
    middle = size // 2
    return hash((size, text[:_SAMPLE], text[middle : middle + _SAMPLE], text[-_SAMPLE:]))


def image(source: Any = None, detail: Any = None) -> Piece:
    """An image: inside of the request, or where it can be fetched; `detail` is how closely it is to be looked at."""
    return MEDIA, Other(0, _IMAGE, _mark_of(source), (source, detail))


def held(content: str | Other) -> int:
    """Bytes that a piece keeps in memory."""
    if isinstance(content, str):
        return len(content)
    if content.most != _IMAGE or content.value is None:
        return content.size
    source: Any = content.value[0]
    return len(source) if isinstance(source, (str, bytes)) else 0


def file(source: Any = None) -> Piece:
    """A sound, a video, or a document whose pages the model sees."""
    inline = len(source) if isinstance(source, (str, bytes)) and len(source) > _SAMPLE else 0
    return MEDIA, Other(most=inline // _PER_TOKEN or EVERYTHING, mark=_mark_of(source))


def sealed(kind: str, content: Any) -> Piece:
    """What only the provider can read, such as reasoning that is sent back to it."""
    size = len(content) if isinstance(content, (str, bytes)) else 0
    return kind, Other(most=size or EVERYTHING, mark=_mark_of(content))


def kept(kind: str, name: Any) -> Piece:
    """What the provider has, and the request only names."""
    return kind, Other(most=EVERYTHING, mark=_mark_of(name))


def structured(kind: str, value: Any) -> Piece:
    """What is sent as JSON."""
    try:
        # The same for the same value, a third of the time of JSON, and about as long; version 2 has no references.
        packed = marshal.dumps(value, 2)
    except ValueError:
        measure = _Measure()
        return kind, Other(size=measure.size(value), mark=measure.mark, value=value)
    return kind, Other(len(packed), 0, hash(packed), value)


def unchanged(other: Other) -> Any:
    """What was sent as JSON, as a copy in plain values; None where it has been changed since, or has no such form."""
    try:
        packed = marshal.dumps(other.value, 2)
    except ValueError:
        return _copied(other)
    return marshal.loads(packed) if hash(packed) == other.mark else None  # noqa: S302  (it was packed a line before)


def _copied(other: Other) -> Any:
    measure = _Measure()
    try:
        measure.size(other.value)
        return _plain(other.value) if measure.mark == other.mark else None
    except (Unattributable, RuntimeError, ValueError, TypeError, AttributeError):
        return None


def _plain(value: Any) -> Any:
    """The members of objects of a library that `_Measure` has seen to be neither too many nor too deep."""
    if value is None or isinstance(value, (bool, int, float, str)):
        # An enumerated value is a text by its class, and another by its name.
        own: Any = getattr(value, "value", value)
        return own
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in cast("Sequence[Any]", value)]
    fields: Any = getattr(value, "__dict__", None)
    if isinstance(value, (dict, Mapping)):
        members = cast("Mapping[Any, Any]", value)  # type: ignore[redundant-cast]
    elif callable(value) or not isinstance(fields, dict):
        raise Unattributable(type(value).__qualname__)
    else:
        told = cast("dict[str, Any]", fields)
        members = {name: each for name, each in told.items() if not name.startswith("_")}
    return {str(name): _plain(each) for name, each in members.items() if each is not None}


def _mark_of(source: Any) -> int:
    return mark(source) if isinstance(source, (str, bytes)) else 0


class _Measure:
    """Bytes of objects of a library, up to a bound; nothing is asked that could be consumed by it."""

    def __init__(self) -> None:
        self.mark = 1
        self._left = _MOST_NODES

    def size(self, value: Any, depth: int = 0) -> int:
        """About as long as its JSON."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            raise Unattributable("a structure that is too large")
        if isinstance(value, (str, bytes)):
            self.mark = hash((self.mark, mark(value)))
            return len(value) + _QUOTES
        if value is None or isinstance(value, (bool, int, float)):
            self.mark = hash((self.mark, value))
            return _NUMBER
        if isinstance(value, (dict, Mapping)):
            return self._members(cast("Mapping[Any, Any]", value), depth + 1)  # type: ignore[redundant-cast]
        if isinstance(value, (list, tuple)):
            elements = islice(cast("Sequence[Any]", value), self._left + 1)
            return sum(self.size(each, depth + 1) for each in elements)
        return self._object(value, depth + 1)

    def _members(self, members: Mapping[Any, Any], depth: int) -> int:
        some = [(name, each) for name, each in islice(members.items(), self._left + 1) if each is not None]
        return sum(self.size(str(name), depth) + self.size(each, depth) for name, each in some)

    def _object(self, value: Any, depth: int) -> int:
        write: Any = getattr(value, "SerializeToString", None)
        if callable(write):
            return self.size(write(deterministic=True), depth)
        fields: Any = getattr(value, "__dict__", None)
        if callable(value) and hasattr(value, "__code__"):
            # A function that its library describes to the model.
            fields = {value.__name__: value.__doc__, "parameters": value.__code__.co_varnames}
        elif isinstance(value, type):
            # A class that its library makes a schema of.
            fields = {value.__name__: list(getattr(value, "__annotations__", ()))}
        elif (inner := getattr(value, "__args__", None)) is not None:
            # A list of such, or a choice.
            return self.size(inner, depth)
        if not isinstance(fields, dict):
            raise Unattributable(type(value).__qualname__)
        told = cast("dict[str, Any]", fields)
        return self._members({name: each for name, each in told.items() if not name.startswith("_")}, depth)


_MOST_NODES = 20_000
_DEEPEST = 32
_QUOTES = 4
_NUMBER = 4
