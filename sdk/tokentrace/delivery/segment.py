"""One file of the spool, on disk."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tokentrace.delivery import framing
from tokentrace.delivery.claim import OPEN
from tokentrace.delivery.framing import Record


@dataclass(slots=True, eq=False)
class Stored:
    """A batch on disk."""

    segment: Segment
    record: Record
    seen: int | None = None
    """How many batches the collector had taken when it last refused this one."""


@dataclass(slots=True, eq=False)
class Segment:
    """A file of batches, which is gone with the last of them. Methods raise OSError, unless they say otherwise."""

    path: Path
    is_own: bool
    """Written by this process; all else was adopted."""

    batches: list[Stored] | None = None
    """None as long as nobody has looked."""

    fd: int | None = None
    """As long as it is written."""

    size: int = 0

    @classmethod
    def begin(cls, path: Path) -> Segment:
        """An empty one, to be written."""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | OPEN, 0o600)
        return cls(path, is_own=True, batches=[], fd=fd)

    @property
    def spans(self) -> int:
        """Spans that wait in it, as far as anybody has looked."""
        return sum(stored.record.spans for stored in self.batches or ())

    def append(self, framed: bytes, spans: int) -> Stored:
        """Add a batch. What was written of one that does not fit is taken back."""
        assert self.fd is not None and self.batches is not None  # noqa: S101, PT018  (only `begin` makes writable ones)
        left = memoryview(framed)
        try:
            while left:
                left = left[os.write(self.fd, left) :]
        except OSError:
            os.ftruncate(self.fd, self.size)
            os.lseek(self.fd, self.size, os.SEEK_SET)
            raise
        stored = Stored(self, Record(self.size, spans, len(framed) - framing.HEADER))
        self.size += len(framed)
        self.batches.append(stored)
        return stored

    def load(self) -> int:
        """Look what is in it; how many spans cannot be read."""
        if self.batches is not None:
            return 0
        self.batches = []
        found = framing.scan(self.path.read_bytes())
        self.batches = [Stored(self, record) for record in found.records]
        return found.lost

    def read(self, stored: Stored) -> bytes | None:
        """What a batch holds; None where it has gone bad."""
        fd = os.open(self.path, os.O_RDONLY | OPEN)
        with os.fdopen(fd, "rb") as file:
            file.seek(stored.record.offset)
            return framing.payload(file.read(framing.HEADER + stored.record.length))

    def mark(self, stored: Stored, mark: int) -> None:
        """Write how often a batch was refused, or that it is done. Never raises: unmarked, it is sent once more."""
        with suppress(OSError):
            fd = os.open(self.path, os.O_WRONLY | OPEN)
            try:
                os.lseek(fd, stored.record.offset + framing.MARK, os.SEEK_SET)
                os.write(fd, bytes((mark,)))
            finally:
                os.close(fd)

    def shut(self) -> None:
        """Write no more."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None

    def remove(self) -> None:
        """Delete the file. Never raises."""
        self.shut()
        with suppress(OSError):
            self.path.unlink()
