"""Reads the body of an HTTP response as it passes: the parts that count, never the text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from tokentrace.guard import log
from tokentrace.usage.reading import Format, Reading, items

if TYPE_CHECKING:
    from tokentrace.streams.frames import Frames

LIMIT = 32 * 1024 * 1024
"""Bytes of one streamed JSON body that are kept for reading; a longer one is not read."""

BULKY = 16 * 1024
"""Size from which only the usage of an embeddings or image body is parsed, not the vectors or pixels before it."""

_BULKY_FORMATS = {
    "embeddings": "usage",
    "images": "usage",
    "cohere.embeddings": "meta",
    "ocr": "usage_info",
    "ollama.embeddings": None,
}
"""By format: the member that has the usage; None where it lies bare beside the model."""
_MEMBER = re.compile(rb'"(?P<key>model|id|created|prompt_eval_count)"\s*:\s*(?P<value>"[^"\\]{0,256}"|\d{1,20})')
_DONE = 16
"""Bytes at the end of a piece in which `[DONE]` and its blank lines stand."""

_json = json.JSONDecoder()
_scan = cast("Callable[[str, int], tuple[Any, int]]", _json.scan_once)  # type: ignore[attr-defined]
_BLANK = " \t\n\r"
"""What JSON takes for white."""


class Response(Protocol):
    """What we use of a response of httpx or httpx2."""

    status_code: int
    headers: Any
    stream: Any

    @property
    def content(self) -> bytes: ...


def read_result(result: Any, fmt: Format, seen: Reading, *, as_it_is: bool) -> None:
    """Note what a library hands back: a body, an object of its own as it is, or the mapping it was parsed from."""
    if isinstance(result, bytes):
        read_whole(result, fmt, seen)
        return
    to_dict = None if as_it_is else getattr(result, "to_dict", None)
    fmt.read(to_dict() if callable(to_dict) else result, seen)


def read_whole(content: bytes, fmt: Format, seen: Reading) -> None:
    """Note what a complete body says: a JSON document, or the parts of a stream."""
    try:
        told = _parsed(content, fmt)
    except ValueError:
        # No frame is so long that its length needs the first byte.
        kind = Lines if content.startswith(b"{") else _framed if content.startswith(b"\0") else Events
        stream = kind(fmt, seen)
        stream.feed(content)
        stream.end()
        return
    if isinstance(told, dict):
        fmt.read(told, seen)
        return
    for part in items(told):
        if isinstance(part, dict):
            fmt.read(part, seen)


def _parsed(content: bytes, fmt: Format) -> Any:
    """What a document says; of a bulky one only what is told of its usage."""
    bulky = len(content) > BULKY and fmt.name in _BULKY_FORMATS
    if bulky and (part := _skimmed(content, _BULKY_FORMATS[fmt.name])) is not None:
        return part
    try:
        # What `json.loads` does in the end, which asks first in which of five encodings it is.
        text = content.decode()
        told, end = _scan(text, 0)
    except (ValueError, StopIteration):
        return json.loads(content)
    return json.loads(text) if end != len(text) and text[end:].strip(_BLANK) else told


def _skimmed(content: bytes, member: str | None) -> dict[str, Any] | None:
    """Usage, model and id of a large body, without parsing the rest."""
    # What else is priced of the answer stands apart.
    if b'"svg_usage"' in content:
        return None
    if content.startswith(b"["):
        # Vectors, and nothing beside them.
        return {}
    edges = content[:512] + b"\n" + content[-2048:]
    members = {found["key"].decode(): json.loads(found["value"]) for found in _MEMBER.finditer(edges)}
    if member is None:
        return members
    key = b'"%s"' % member.encode()
    at = content.rfind(key)
    start = content.find(b"{", at)
    if at < 0 or start < 0 or content[at + len(key) : start].strip() != b":":
        return None
    try:
        usage, _ = _json.raw_decode(content[start : start + BULKY].decode("utf-8", "replace"))
    except ValueError:
        return None
    return {**members, member: usage}


class Events:
    """Server-sent events, fed in any pieces."""

    __slots__ = ("_format", "_pending", "_search", "_seen", "_started")

    def __init__(self, fmt: Format, seen: Reading) -> None:
        self._format = fmt
        self._search = fmt.marks.search
        self._seen = seen
        self._pending: list[bytes] = []
        self._started = False

    def feed(self, data: bytes) -> None:
        """Note what the lines say that end in this piece."""
        block = data
        if self._pending or not data.endswith(b"\n"):
            if (cut := data.rfind(b"\n") + 1) == 0:
                self._pending.append(data)
                return
            block = b"".join((*self._pending, data[:cut]))
            self._pending = [data[cut:]] if cut < len(data) else []
        # Most pieces are text, which is nobody's business: one search decides whether there is anything to parse.
        if self._search(block) or not self._started or block.rfind(b"[DONE]", -_DONE) >= 0:
            self._lines(block)

    def end(self) -> None:
        """There is no more: the last line needs no end."""
        if self._pending:
            self._lines(b"".join(self._pending))
            self._pending = []

    def _lines(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            if not line.startswith(b"data:"):
                continue
            payload = line[5:].strip()
            if payload == b"[DONE]":
                self._seen.complete = True
            elif not self._started or self._search(payload):
                self._part(payload)

    def _part(self, payload: bytes) -> None:
        try:
            part = _parsed(payload, self._format)
        except ValueError:
            return
        self._started = True
        if isinstance(part, dict):
            self._format.read(part, self._seen)


class Lines(Events):
    """JSON documents, each on a line of its own, fed in any pieces."""

    __slots__ = ()

    def _lines(self, block: bytes) -> None:
        for line in block.split(b"\n"):
            if line and (not self._started or self._search(line)):
                self._part(line)


class Rewritten(Events):
    """Events and lines alike, whichever a client has made of what it got."""

    __slots__ = ()

    def _lines(self, block: bytes) -> None:
        # No field of an event begins with a brace.
        lines = (b"data:" + line if line.startswith(b"{") else line for line in block.split(b"\n"))
        super()._lines(b"\n".join(lines))


class Document:
    """One JSON document, fed in any pieces."""

    __slots__ = ("_format", "_kept", "_seen", "_size")

    def __init__(self, fmt: Format, seen: Reading) -> None:
        self._format = fmt
        self._seen = seen
        self._kept: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Keep a piece."""
        self._size += len(data)
        if self._size <= LIMIT:
            self._kept.append(data)
        elif self._kept:
            log.warning("A streamed response of more than %d bytes is not read.", LIMIT)
            self._kept = []

    def end(self) -> None:
        """There is no more: read what was kept."""
        if self._kept:
            read_whole(b"".join(self._kept), self._format, self._seen)
            self._kept = []


def _framed(fmt: Format, seen: Reading) -> Frames:
    # Amazon alone sends them.
    from tokentrace.streams.frames import Frames  # noqa: PLC0415

    return Frames(fmt, seen)


def _decoder(encoding: str | None) -> Callable[[bytes], bytes] | None:
    if not encoding:
        return None
    from tokentrace.streams.encoding import decoder  # noqa: PLC0415  (hardly anybody compresses a stream)

    return decoder(encoding)


_Reader: TypeAlias = "Callable[[Format, Reading], Events | Document | Frames]"

_READERS: dict[str, _Reader] = {
    "text/event-stream": Events,
    "application/json": Document,
    "application/x-ndjson": Lines,
    "application/stream+json": Lines,
    "application/vnd.amazon.eventstream": _framed,
}
"""By content type."""


class Body:
    """The body of one streamed response, fed with its raw bytes."""

    __slots__ = ("_has_end", "_reader", "_seen", "feed")

    feed: Callable[[bytes], None]
    """Notes what the next raw bytes of the body say."""

    def __init__(self, headers: Any, fmt: Format, seen: Reading) -> None:
        kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
        found: _Reader | None = (
            Lines if fmt.lines or fmt.lists else Rewritten if fmt.is_rewritten else _READERS.get(kind)
        )
        self._reader = None if found is None else found(fmt, seen)
        self._has_end = not (found is None or fmt.lists)
        self._seen = seen
        decode = _decoder(headers.get("content-encoding"))
        read = _pass if self._reader is None else self._reader.feed
        # Every chunk goes through here: where there is nothing to decode there is nothing in between.
        self.feed = read if decode is None else lambda chunk: read(decode(chunk))

    def end(self, *, is_whole: bool) -> None:
        """The body is over, or the application has left it: read what is still pending."""
        if self._reader is not None:
            self._reader.end()
        if is_whole and not self._has_end:
            # Audio, plain text and lists have no word for their end.
            self._seen.complete = True


def _pass(chunk: bytes) -> None:
    """Takes a body that is of no kind that we read."""
