"""One file of the journal: requests in order, each with a checksum, in SQLite."""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Self

from tokentrace_collector.otlp import compression

_SUFFIX = ".journal"
_COMPANIONS = ("", "-wal", "-shm")

_PATIENCE = 1000
"""How many numbers in a row may be missing from a damaged file before we take it to have ended."""

_DAMAGE = (sqlite3.Error, ValueError, TypeError)
"""What reading a damaged file raises; ValueError where SQLite quotes the damage in a message that is not UTF-8."""

_DAMAGE_CODES = frozenset(
    {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_FORMAT,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_IOERR_READ,
        sqlite3.SQLITE_IOERR_SHORT_READ,
        # Without its first page a file has no table.
        sqlite3.SQLITE_ERROR,
    }
)
"""SQLite codes that blame the file; others blame the moment: no handle, no memory, no room for an index."""

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    tenant TEXT,
    encoding TEXT,
    spans INTEGER,
    size INTEGER,
    received INTEGER,
    checksum INTEGER,
    body BLOB
)
"""
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_BLANK = "UPDATE entries SET body = x'', encoding = '', spans = 0, size = 0, checksum = ? WHERE number = ?"
_RANGE = "SELECT * FROM entries WHERE number BETWEEN ? AND ? ORDER BY number"
_WEIGHTS = "SELECT number, spans, size, received FROM entries WHERE number > ? ORDER BY number"


class UnreadableError(OSError):
    """A file that cannot be read just now, though nothing says that it is damaged."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted request: what of it will be stored, whose it is and when it came."""

    tenant: str
    body: bytes
    """An OTLP trace request in protobuf, under `encoding`."""
    encoding: str
    spans: int
    size: int
    """The length of the body when decoded."""
    received: int
    """When it was accepted, in nanoseconds of the Unix epoch."""

    @property
    def plain(self) -> bytes:
        """The body as it is decoded."""
        return compression.inflated(self.body, self.encoding, most=self.size)

    @property
    def checksum(self) -> int:
        """A number that changes when a byte of the entry does."""
        head = f"{self.tenant}\0{self.encoding}\0{self.spans}\0{self.size}\0{self.received}\0"
        return zlib.crc32(self.body, zlib.crc32(head.encode("utf-8", "surrogatepass")))


class Weight(NamedTuple):
    """What an entry adds to a batch."""

    spans: int
    size: int
    received: int


class Segment:
    """A file of consecutively numbered entries, named by the first number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first = int(path.name.removesuffix(_SUFFIX))

    @classmethod
    def of(cls, directory: Path) -> list[Self]:
        """The segments of a directory, oldest first."""
        return sorted((cls(path) for path in directory.glob("*" + _SUFFIX)), key=lambda segment: segment.first)

    @classmethod
    def at(cls, directory: Path, first: int) -> Self:
        """The segment that begins with a number, whether or not it exists."""
        return cls(directory / f"{first:016}{_SUFFIX}")

    @property
    def bytes(self) -> int:
        """Its size on disk."""
        total = 0
        for part in self._parts():
            # Between a look whether it is there and a look at its size it may go.
            with suppress(FileNotFoundError):
                total += part.stat().st_size
        return total

    def weights(self, after: int) -> dict[int, Weight]:
        """The numbers of its entries above one, with their weights; of a damaged file, those that can still be read."""
        if not self.path.exists():
            return {}
        try:
            with self._reader() as reader:
                rows = reader.execute(_WEIGHTS, (after,)).fetchall()
                return {number: Weight(*map(int, weight)) for number, *weight in rows}
        except _DAMAGE:
            salvaged = self._salvaged(max(after + 1, self.first))
            return {number: Weight(entry.spans, entry.size, entry.received) for number, entry in salvaged.items()}

    def read(self, first: int, last: int) -> dict[int, Entry]:
        """Its whole entries of a range, by number and in order; what is damaged is missing."""
        if not self.path.exists():
            return {}
        try:
            with self._reader() as reader:
                found = [(row[0], _entry(row)) for row in reader.execute(_RANGE, (first, last))]
                return {number: entry for number, entry in found if entry}
        except _DAMAGE:
            return self._salvaged(first, last)

    def blank(self, number: int) -> None:
        """Leave nothing of an entry but its number, so that it is settled without storing anything."""
        (entry,) = self.read(number, number).values()
        left = replace(entry, body=b"", encoding="", spans=0, size=0)
        try:
            with closing(self._opened()) as connection, connection:
                connection.execute(_BLANK, (left.checksum, number))
        except sqlite3.Error as error:
            raise UnreadableError(f"{self.path} cannot be written: {error}.") from error

    def remove(self) -> None:
        """Delete the file: as a whole, because a full disk refuses to delete rows."""
        for part in self._parts():
            part.unlink(missing_ok=True)

    def make_way(self) -> None:
        """Free its name for a new file, where an end before the first promise left one; keep it if it is damaged."""
        if not self.path.exists():
            return
        if self._is_whole():
            self.remove()
            return
        aside = f"{self.path.stem}.damaged-{time.time_ns()}"
        for companion, part in zip(_COMPANIONS, self._parts(), strict=True):
            if part.exists():
                part.rename(part.with_name(aside + companion))

    def _is_whole(self) -> bool:
        try:
            with self._reader() as reader:
                return bool(reader.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
        except _DAMAGE:
            return False

    def _parts(self) -> Iterator[Path]:
        return (self.path.with_name(self.path.name + companion) for companion in _COMPANIONS)

    @contextmanager
    def _reader(self) -> Generator[sqlite3.Connection]:
        with self._judged(), closing(self._opened()) as connection:
            # A page that is not what it says it is must be an error, never a wrong answer.
            connection.execute("PRAGMA cell_size_check = ON")
            yield connection

    def _opened(self) -> sqlite3.Connection:
        # Not made where there is none: whoever looks from outside may come after the file has gone.
        return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=rw", timeout=10, uri=True)

    @contextmanager
    def _judged(self) -> Generator[None]:
        """Tell a damaged file, of which the rest is salvaged, from one to be read later."""
        try:
            yield
        except sqlite3.Error as error:
            # An error of Python's own has no code: it could not make sense of what it read.
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
            if _DAMAGE_CODES.isdisjoint({code, code & 0xFF}):
                raise UnreadableError(f"{self.path} cannot be read: {error}.") from error
            raise

    def _salvaged(self, first: int, last: int | None = None) -> dict[int, Entry]:
        """The entries of a damaged file that can still be read, one at a time."""
        entries: dict[int, Entry] = {}
        number = latest = first
        with self._judged(), closing(self._opened()) as connection:
            while number <= (latest + _PATIENCE if last is None else last):
                if entry := self._single(connection, number):
                    entries[number] = entry
                    latest = number
                number += 1
        return entries

    def _single(self, connection: sqlite3.Connection, number: int) -> Entry | None:
        try:
            with self._judged():
                row: tuple[Any, ...] | None = connection.execute(_RANGE, (number, number)).fetchone()
        except _DAMAGE:
            return None
        return _entry(row) if row else None


class Writer:
    """An open segment; belongs to one thread."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.bytes = 0
        self._connection = sqlite3.connect(segment.path, isolation_level=None)
        self._connection.execute("PRAGMA page_size = 16384")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        # Every 64 MiB: a checkpoint holds up whoever waits for an answer.
        self._connection.execute("PRAGMA wal_autocheckpoint = 4000")
        self._connection.execute(_TABLE)
        _sync(segment.path.parent)

    def append(self, first: int, entries: Sequence[Entry]) -> None:
        """Put entries on disk, all or none; when this returns they are there to stay."""
        rows = [
            (number, each.tenant, each.encoding, each.spans, each.size, each.received, each.checksum, each.body)
            for number, each in enumerate(entries, first)
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(_INSERT, rows)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self.bytes += sum(len(each.body) for each in entries)

    def close(self) -> None:
        """Stop writing; the entries stay."""
        self._connection.close()


def _entry(row: tuple[Any, ...]) -> Entry | None:
    """The entry of a row, unless the row is damaged."""
    _, tenant, encoding, spans, size, received, checksum, body = row
    texts = isinstance(tenant, str) and isinstance(encoding, str) and isinstance(body, bytes)
    if not (texts and all(isinstance(number, int) for number in (spans, size, received))):
        return None
    entry = Entry(tenant=tenant, body=body, encoding=encoding, spans=spans, size=size, received=received)
    return entry if entry.checksum == checksum else None


def _sync(directory: Path) -> None:
    """Make the names in a directory as durable as the files."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
