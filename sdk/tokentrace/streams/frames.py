"""AWS event streams: frames of headers and payload, as Bedrock streams them."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import suppress
from struct import Struct

from tokentrace.usage.reading import Format, Reading, mapping

_PRELUDE = Struct(">III")
"""Length of the frame, length of its headers, and a checksum of both."""
_CHECKSUM = 4
_LONGEST = 16 * 1024 * 1024
"""What AWS allows for a frame; more is no frame."""

_FAULT = re.compile(rb":(?:exception-type|error-code)\x07(?P<size>..)", re.DOTALL)
_WRAPPED = re.compile(rb'"bytes"\s*:\s*"(?P<bytes>[^"]*)"')
"""InvokeModel wraps the event of the model's vendor; Converse does not."""


class Frames:
    """An event stream, fed in any pieces."""

    __slots__ = ("_broken", "_format", "_pending", "_seen", "_started")

    def __init__(self, fmt: Format, seen: Reading) -> None:
        self._format = fmt
        self._seen = seen
        self._pending = bytearray()
        self._broken = False
        self._started = False

    def feed(self, data: bytes) -> None:
        """Note what the frames say that end in this piece."""
        pending = self._pending
        pending += data
        start = 0
        while len(pending) - start >= _PRELUDE.size and not self._broken:
            size, headed, _ = _PRELUDE.unpack_from(pending, start)
            if not _PRELUDE.size + headed + _CHECKSUM <= size <= _LONGEST:
                self._broken = True
            if self._broken or len(pending) - start < size:
                break
            body = start + _PRELUDE.size + headed
            self._frame(bytes(pending[start + _PRELUDE.size : body]), bytes(pending[body : start + size - _CHECKSUM]))
            start += size
        # What is no frame is not kept: nobody knows where the next one begins.
        del pending[: None if self._broken else start]

    def end(self) -> None:
        """There is no more: a frame without its end says nothing."""
        self._pending.clear()

    def _frame(self, headers: bytes, payload: bytes) -> None:
        if broken := _FAULT.search(headers):
            name = headers[broken.end() : broken.end() + int.from_bytes(broken["size"], "big")]
            self._format.read({"type": "error", "error": {"type": name.decode()}}, self._seen)
            return
        with suppress(ValueError):
            if wrapped := _WRAPPED.search(payload):
                payload = b64decode(wrapped["bytes"])
            # Most frames are text, which is nobody's business.
            if not self._started or self._format.marks.search(payload):
                self._started = True
                self._format.read(mapping(json.loads(payload)), self._seen)
