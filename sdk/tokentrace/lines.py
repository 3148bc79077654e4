"""JSON Lines: one document a line."""

from __future__ import annotations

import json
from contextlib import suppress

from tokentrace.reading import Format, Reading, mapping


class Lines:
    """JSON documents, fed in any pieces."""

    __slots__ = ("_format", "_pending", "_seen")

    def __init__(self, fmt: Format, seen: Reading) -> None:
        self._format = fmt
        self._seen = seen
        self._pending: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Note what the lines say that end in this piece."""
        if (cut := data.rfind(b"\n") + 1) == 0:
            self._pending.append(data)
            return
        lines = b"".join((*self._pending, data[:cut])).split(b"\n")
        self._pending = [data[cut:]] if cut < len(data) else []
        for line in lines:
            self._line(line)

    def end(self) -> None:
        """There is no more: the last line needs no end."""
        self._line(b"".join(self._pending))
        self._pending = []

    def _line(self, line: bytes) -> None:
        with suppress(ValueError):
            if part := mapping(json.loads(line)):
                self._format.read(part, self._seen)
