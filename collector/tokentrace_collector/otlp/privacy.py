"""What must not be written down, taken out of a request before it is: prompts and answers, and what patterns find."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tokentrace_collector import notation
from tokentrace_collector.files import root

_KNOWN = {"name", "pattern", "with"}


class PatternsError(ValueError):
    """A file of patterns that cannot be taken at its word."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is not to be written down, and what is written instead."""

    name: str
    finds: re.Pattern[str]
    instead: str


@dataclass(frozen=True, slots=True)
class Privacy:
    """Takes out of spans what is not to be written down, and leaves what costs are found by."""

    drops_content: bool = False
    patterns: tuple[Pattern, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to take out."""
        return self.drops_content or bool(self.patterns)

    def clean(self, request: ExportTraceServiceRequest) -> None:
        """Take it out of a request."""
        # What we do not know we cannot look into.
        request.DiscardUnknownFields()
        for resource_spans in request.resource_spans:
            self._attributes(resource_spans.resource.attributes)
            for scope_spans in resource_spans.scope_spans:
                self._attributes(scope_spans.scope.attributes)
                for span in scope_spans.spans:
                    self._span(span)

    def redacted(self, text: str) -> str:
        """A text without what the patterns find."""
        for pattern in self.patterns:
            text = pattern.finds.sub(partial(_instead, pattern.instead), text)
        return text

    def _span(self, span: Span) -> None:
        if self.drops_content:
            kept = [event for event in span.events if not _is("events", event.name)]
            if len(kept) < len(span.events):
                del span.events[:]
                span.events.extend(kept)
        self._attributes(span.attributes)
        for event in span.events:
            self._attributes(event.attributes)
        for link in span.links:
            self._attributes(link.attributes)
        if self.patterns:
            span.name = self.redacted(span.name)
            span.status.message = self.redacted(span.status.message)
            span.trace_state = self.redacted(span.trace_state)
            for event in span.events:
                event.name = self.redacted(event.name)

    def _attributes(self, pairs: Any) -> None:
        if self.drops_content:
            kept = [pair for pair in pairs if not _is("attributes", pair.key)]
            if len(kept) < len(pairs):
                del pairs[:]
                pairs.extend(kept)
        if self.patterns:
            self._values(pair for pair in pairs if not _is("accounted", pair.key))

    def _values(self, pairs: Iterable[KeyValue]) -> None:
        for pair in pairs:
            self._value(pair.value)

    def _value(self, value: AnyValue) -> None:
        kind = value.WhichOneof("value")
        if kind == "string_value":
            value.string_value = self.redacted(value.string_value)
        elif kind == "array_value":
            for item in value.array_value.values:
                self._value(item)
        elif kind == "kvlist_value":
            self._values(value.kvlist_value.values)
        elif kind == "bytes_value":
            # Byte by byte, so that what is no text stays as it is.
            value.bytes_value = self.redacted(value.bytes_value.decode("utf-8", "surrogateescape")).encode(
                "utf-8", "surrogateescape"
            )


def _instead(written: str, _found: re.Match[str]) -> str:
    """What is written instead, letter for letter."""
    return written


def read(path: Path) -> tuple[Pattern, ...]:
    """The patterns of a file."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PatternsError(f"The patterns {str(path)!r} cannot be read: {error}.") from error
    except notation.NotationError as error:
        raise PatternsError(f"The patterns {str(path)!r} cannot be taken: {error}") from error


def parse(text: str) -> tuple[Pattern, ...]:
    """The patterns of a text; raises NotationError with the line, the value and the remedy."""
    node = notation.compose(text)
    if node is None:
        raise notation.NotationError("There is nothing in it. Write `version: 1` and `patterns:`.")
    said = notation.entries(node, {"version", "patterns"}, needed=("version", "patterns"))
    if (version := notation.text(said["version"])) != "1":
        notation.reject(said["version"], f"The version {version!r} is not known. Write 1")
    return tuple(_pattern(each) for each in notation.items(said["patterns"]))


def _pattern(node: yaml.Node) -> Pattern:
    said = notation.entries(node, _KNOWN, needed=("name", "pattern"))
    name, written = notation.text(said["name"]), notation.text(said["pattern"])
    try:
        finds = re.compile(written)
    except re.error as error:
        notation.reject(
            said["pattern"],
            f"{written!r} is no regular expression: {error}. Mend it, or put it in single quotes",
        )
    if finds.search(""):
        notation.reject(said["pattern"], f"{written!r} finds nothing at all everywhere. Let it need a character")
    instead = notation.text(said["with"]) if "with" in said else f"[{name}]"
    return Pattern(name, finds, instead)


@lru_cache(maxsize=4096)
def _is(what: str, name: str) -> bool:
    """Whether a list of schemas/content.yaml has a name; senders use the same few again and again."""
    return _named(what).fullmatch(name) is not None


@cache
def _named(what: str) -> re.Pattern[str]:
    said = yaml.safe_load((root() / "content.yaml").read_text(encoding="utf-8"))
    names = (re.escape(name.removesuffix("*")) + (".*" if name.endswith("*") else "") for name in said[what])
    return re.compile("|".join(names), re.DOTALL)
