"""Batches on disk, until the collector takes them: those of this process, and of others that are no more."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tokentrace.delivery import framing
from tokentrace.delivery.claim import OPEN, Claim, private
from tokentrace.delivery.counts import Counts
from tokentrace.delivery.segment import Segment, Stored

SEGMENT = 1024 * 1024
"""Bytes after which a file is closed; the oldest closed one goes as a whole when the disk is full."""

_OPEN, _CLOSED, _LOCK, _LOST = ".open", ".closed", ".lock", ".lost"
"""How names end: the file that is written, those that are full, whose they are, and the losses of the owner."""


@dataclass(slots=True)
class Spool:
    """The batches that one process may deliver, in files below `root` that other processes leave alone.

    Files lie in a directory by `identity`, which stands for everything that decides who may get them. Together the
    files of all identities hold `size` bytes; the oldest are displaced. Methods may raise OSError, and wait for
    nothing but the disk.
    """

    root: Path
    identity: str
    size: int
    counts: Counts
    own: int = 0
    """Spans of this process on disk."""

    _segments: list[Segment] = field(default_factory=list[Segment])
    """Oldest first."""

    _claim: Claim | None = None
    _is_open: bool = True
    _last: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def home(self) -> Path:
        """Where the files are."""
        return self.root / self.identity

    @property
    def has_batches(self) -> bool:
        """Whether there is something to deliver."""
        return bool(self._segments)

    def append(self, payload: bytes, spans: int) -> Stored:
        """Put a batch on disk, where the end of the process cannot harm it."""
        framed = framing.frame(payload, spans)
        with self._lock:
            owner = self._owner()
            self._make_room(len(framed))
            stored = self._writable(owner, len(framed)).append(framed, spans)
            self.own += spans
            self.counts.spooled += spans
            return stored

    def oldest(self, skip: int = 0) -> tuple[Stored, bytes] | None:
        """The batch that has waited longest, and what it holds; or the one `skip` places behind, around the end."""
        with self._lock:
            while first := self._first(skip + 1):
                stored = first[skip % len(first)]
                try:
                    payload = stored.segment.read(stored)
                except FileNotFoundError:
                    # Displaced by another process, which has counted it.
                    self._forget(stored.segment)
                    continue
                if payload is not None:
                    return stored, payload
                self.counts.unreadable += stored.record.spans
                self._settle(stored)
            return None

    def done(self, stored: Stored) -> None:
        """The batch is delivered, or given up."""
        with self._lock:
            self._settle(stored)

    def refuse(self, stored: Stored) -> int:
        """The collector takes others, and not this one; how often that has happened, in earlier processes too."""
        with self._lock:
            stored.record.refused = min(stored.record.refused + 1, framing.DONE - 1)
            stored.segment.mark(stored, stored.record.refused)
            return stored.record.refused

    def adopt(self) -> None:
        """Take over what dead processes have left."""
        with self._lock:
            if not self._is_open or not self.home.is_dir():
                return
            private(self.home)
            owners = {owner for _, owner in _entries(self.home)}
            for owner in sorted(owners - {self._claim.path.stem if self._claim else ""}):
                with suppress(OSError):
                    self._inherit(owner)
            self._segments.sort(key=lambda segment: segment.path.name)

    def note(self, lost: int) -> None:
        """Write down how many spans are lost, for the next process to tell if this one is killed."""
        with self._lock:
            fd = os.open(self.home / (self._owner() + _LOST), os.O_WRONLY | os.O_CREAT | OPEN, 0o600)
            try:
                os.write(fd, b"%020d" % lost)
            finally:
                os.close(fd)

    def close(self) -> None:
        """Leave what is there for the next process."""
        with self._lock:
            self._is_open = False
            if self._claim is None:
                return
            with suppress(OSError):
                (self.home / (self._claim.path.stem + _LOST)).unlink()
            for segment in self._segments:
                segment.shut()
            if self._segments:
                self._claim.leave()
            else:
                self._claim.give_up()
            self._claim = None

    def abandon(self) -> None:
        """In a forked child: what is open is the parent's, who must not seem alive when only the child is."""
        # Not with the lock, which another thread of the parent may have held.
        self._is_open = False
        for segment in self._segments:
            segment.shut()
        if self._claim is not None:
            self._claim.leave()
            self._claim = None

    def _owner(self) -> str:
        """The name of this process here."""
        if not self._is_open:
            raise OSError(errno.EBADF, "The spool is closed.")
        if self._claim is None:
            private(self.home)
            # Who comes between our opening and locking the file takes us for dead; then it is another name.
            names = (f"{os.getpid()}-{os.urandom(4).hex()}{_LOCK}" for _ in range(5))
            self._claim = next((claim for name in names if (claim := Claim.take(self.home / name))), None)
        if self._claim is None:
            raise OSError(errno.ENOLCK, f"Files in {self.home} cannot be locked.")
        return self._claim.path.stem

    def _writable(self, owner: str, needed: int) -> Segment:
        segment = self._written()
        if segment is not None and segment.size + needed > min(SEGMENT, self.size // 16):
            self._finish(segment)
            segment = None
        if segment is None:
            self._last = max(self._last + 1, time.time_ns())
            segment = Segment.begin(self.home / f"{self._last:020d}-{owner}.{owner}{_OPEN}")
            self._segments.append(segment)
        return segment

    def _written(self) -> Segment | None:
        return next((segment for segment in self._segments if segment.fd is not None), None)

    def _finish(self, segment: Segment) -> None:
        segment.shut()
        segment.path = segment.path.replace(segment.path.with_suffix(_CLOSED))

    def _make_room(self, needed: int) -> None:
        if needed > self.size:
            raise OSError(errno.EFBIG, f"A batch of {needed} bytes is more than the spool may hold.")
        sizes = dict(self._sizes())
        # By when they were begun, whoever they belong to.
        closed = sorted((path for path in sizes if path.suffix == _CLOSED), key=lambda path: path.name, reverse=True)
        taken = sum(sizes.values())
        while taken + needed > self.size:
            if not closed:
                if (segment := self._written()) is None:
                    raise OSError(errno.ENOSPC, f"Other processes have filled {self.root}.")
                self._finish(segment)
                sizes[segment.path] = segment.size
                closed = [segment.path]
            path = closed.pop()
            self._displace(path)
            taken -= sizes[path]

    def _displace(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            found = framing.scan(path.read_bytes())
            path.unlink()
            self.counts.displaced += sum(record.spans for record in found.records) + found.lost
        if segment := next((segment for segment in self._segments if segment.path == path), None):
            self._forget(segment)

    def _sizes(self) -> Iterator[tuple[Path, int]]:
        for home in self.root.iterdir():
            for path, _ in _entries(home):
                if path.suffix in {_OPEN, _CLOSED}:
                    with suppress(FileNotFoundError):
                        yield path, path.lstat().st_size

    def _inherit(self, owner: str) -> None:
        """Make ours what a process has left; nothing where that process is alive."""
        if (claim := Claim.take(self.home / (owner + _LOCK))) is None:
            return
        try:
            for path in sorted(path for path, of in _entries(self.home) if of == owner):
                if path.suffix == _LOST:
                    told = path.read_bytes()
                    self.counts.earlier += int(told) if told.isdigit() else 0
                    path.unlink()
                elif path.suffix in {_OPEN, _CLOSED}:
                    ours = f"{path.name.partition('.')[0]}.{self._owner()}{_CLOSED}"
                    self._segments.append(Segment(path.replace(path.with_name(ours)), is_own=False))
        except BaseException:
            claim.leave()
            raise
        claim.give_up()

    def _first(self, number: int) -> list[Stored]:
        """So many batches from the oldest on, or all there are."""
        found: list[Stored] = []
        for segment in tuple(self._segments):
            try:
                self.counts.unreadable += segment.load()
            except OSError:
                # Gone, or for a later process to try.
                self._forget(segment)
                continue
            if not segment.batches:
                segment.remove()
                self._forget(segment)
                continue
            found += segment.batches[: number - len(found)]
            if len(found) == number:
                break
        return found

    def _settle(self, stored: Stored) -> None:
        segment = stored.segment
        if segment.batches is None or stored not in segment.batches:
            return
        segment.batches.remove(stored)
        self.own -= stored.record.spans if segment.is_own else 0
        if segment.batches:
            segment.mark(stored, framing.DONE)
        else:
            segment.remove()
            self._forget(segment)

    def _forget(self, segment: Segment) -> None:
        """The file is gone."""
        segment.shut()
        self.own -= segment.spans if segment.is_own else 0
        segment.batches = []
        if segment in self._segments:
            self._segments.remove(segment)


def _entries(directory: Path) -> Iterator[tuple[Path, str]]:
    """The files of ours in a directory, and whose they are."""
    with suppress(OSError), os.scandir(directory) as found:
        for entry in found:
            path = Path(entry.path)
            if path.suffix in {_OPEN, _CLOSED, _LOCK, _LOST}:
                yield path, path.stem.rpartition(".")[2]
