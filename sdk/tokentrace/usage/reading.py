"""What a response has told us so far, and how to ask it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias, cast

from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import Compose


def _itself(part: Any) -> Iterable[Any]:
    return (part,)


_blank = cast("Callable[[], dict[Any, Any]]", dict)


@dataclass(slots=True)
class Reading:
    """Filled by a wire format, part by part. A complete response is a stream of one part."""

    model: str | None = None
    """The model that answered."""

    response_id: str | None = None
    """The provider's id of the answer."""

    finish: dict[int, str] = field(default_factory=_blank)
    """Why each choice ended."""

    calls: int = 0
    """Calls of tools of the application in the answer, where its format tells of them elsewhere than in the finish."""

    usage: Mapping[str, Any] = field(default_factory=_blank)
    """The usage as reported; later parts are overlaid on earlier ones."""

    tier: str | None = None
    """The service tier that answered."""

    complete: bool = False
    """The response said that it is over."""

    error: str | None = None
    """The error named inside a body or an event."""

    visibility: str | None = None
    """How much of the reasoning was readable: readable, summarised or hidden."""

    facts: dict[str, Any] = field(default_factory=_blank)
    """What counting needs beside the usage; the keys are those of the `context` of `read_usage`."""


@dataclass(slots=True)
class Said:
    """The texts of an answer, part by part, for whoever has to count them: none of it is kept or sent anywhere."""

    pieces: dict[tuple[str, Any], list[str]] = field(default_factory=_blank)
    """By kind, and by which text of this kind it belongs to."""

    is_cut: bool = False
    """Something in the answer is no text that can be counted: pictures, sound."""

    is_veiled: bool = False
    """Some reasoning is there that cannot be read."""

    def add(self, kind: str, piece: Any, place: Any = 0) -> None:
        """Adds to one text; anything but a text is nothing."""
        if isinstance(piece, str) and piece:
            self.pieces.setdefault((kind, place), []).append(piece)

    def call(self, name: Any, arguments: Any, place: Any = 0) -> None:
        """Adds to one call of a tool: its name, and its arguments as the JSON that the model wrote."""
        self.add(CALL, name, place)
        written = arguments if isinstance(arguments, str) or arguments is None else json.dumps(arguments, default=str)
        self.add(CALL, written, place)

    def texts(self, kind: str) -> list[str]:
        """The texts of a kind, each put together."""
        return ["".join(pieces) for (found, _), pieces in self.pieces.items() if found == kind]


TEXT, CALL, THOUGHT = "text", "call", "thought"
"""Kinds of text in an answer: what is visible, calls of tools, and reasoning that can be read."""

Read: TypeAlias = Callable[[Any, Reading], None]
"""Notes in a `Reading` what one part of a response says."""

Count: TypeAlias = Callable[[Reading, str, Mapping[str, Any]], Usage]
"""Sorts what was read into buckets, for a provider and the facts from outside the response."""


Say: TypeAlias = Callable[[Any, Said], None]
"""Adds to a `Said` what one part of a response says; takes what `Read` takes."""


# Not frozen: that would cost every start of an application a millisecond.
@dataclass(slots=True, eq=False)
class Format:
    """A wire format: how the parts of a response are read and what their counts mean."""

    name: str
    read: Read
    count: Count
    marks: re.Pattern[bytes]
    """Found in every stream event that is worth parsing beside the first; the others are content."""

    say: Say | None = None
    """The texts of an answer; None where an answer has no text that would have to be counted."""

    lines: bool = False
    """Whether a body is JSON Lines, whatever it says of itself."""

    lists: bool = False
    """Whether it is, and each line the answer to a call of its own."""

    answers: Callable[[Any], Iterable[Any]] = _itself
    """Of what lists: the answers in one part, where that is a whole document; a line is one by itself."""

    is_rewritten: bool = False
    """Whether the client makes something else of a stream, and leaves the type that it had."""

    compose: Compose | None = None
    """Tells of which pieces the prompt of a request is made; None where nothing is known of that."""


NOTHING: Mapping[str, Any] = {}
"""Stands for a mapping that is absent; never written to."""


def mapping(value: Any) -> Mapping[str, Any]:
    """The mapping that `value` is, or an empty one."""
    if value is None:
        return NOTHING
    # Asked of so many fields that a `cast` would be felt.
    found: Any = value
    return found if isinstance(value, dict) or isinstance(value, Mapping) else NOTHING  # noqa: SIM101 - `dict` answers ten times faster.


def items(value: Any) -> Sequence[Any]:
    """The list that `value` is, or an empty one."""
    found: Any = value
    return found if isinstance(value, (list, tuple)) else ()


def text(value: Any) -> str | None:
    """The text that `value` is, or None for anything else and for the empty text."""
    return value if isinstance(value, str) and value else None


def dig(value: Any, *path: str) -> Any:
    """The item or attribute at `path`, or None where the path ends early."""
    for name in path:
        if value is None:
            return None
        found: Any = value
        value = found.get(name) if isinstance(value, (dict, Mapping)) else getattr(value, name, None)
    return value


def ask(value: Any, name: str) -> Any:
    """A field of Google's by its JSON name, of JSON in either spelling and of google-genai's objects."""
    told: Any = value
    if isinstance(value, dict):
        return told.get(_snake(name)) if (found := told.get(name)) is None else found
    return None if value is None else dig(value, _snake(name))


@cache
def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda capital: "_" + capital[0].lower(), name)


def number(value: Any) -> int | None:
    """The count that `value` states, or None where it states none."""
    if type(value) is int:
        return value if 0 <= value <= LARGEST else None
    if value is None:
        return None
    # Cohere counts in floats, Bedrock's headers in strings.
    if isinstance(value, float) and value.is_integer():
        return number(int(value))
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(LARGEST)):
        return number(int(value))
    return None


LARGEST = 2**63 - 1
"""What a span attribute can hold."""


def overlaid(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Mapping[str, Any]:
    """`earlier` with every field that `later` knows, nested ones too; neither is changed."""
    if not earlier:
        return later
    merged = dict(earlier)
    for name, value in later.items():
        # Absent is not zero: a field that a later part leaves open keeps what an earlier one said.
        if value is None:
            continue
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = overlaid(mapping(before), mapping(value)) if both else value
    return merged
