"""What could not be stored, kept for a person to look at: one JSON document a line."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

DEAD_LETTERS = "dead-letters.jsonl"
"""Beside the store."""
ID_DIGITS = 12
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Letter:
    """A request that could not be stored."""

    at: str
    tenant: str
    reason: str
    content: bytes
    """In protobuf, or in JSON."""

    @property
    def id(self) -> str:
        """What it is called: the same for the same content of the same tenant."""
        owner = self.tenant.encode("utf-8", "surrogatepass")
        return hashlib.sha256(owner + b"\0" + self.content).hexdigest()[:ID_DIGITS]


class DeadLetters:
    """A bounded file of rejected requests; full, it makes room by forgetting the older half."""

    def __init__(self, path: Path, most_bytes: int = _MOST_BYTES) -> None:
        self.path = path
        self._older = path.with_suffix(".old" + path.suffix)
        self._most = most_bytes // 2
        self._lock = threading.Lock()

    def keep(self, letters: Iterable[tuple[bytes, str]], *, tenant: str) -> None:
        """Add contents with the reasons why they were refused."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        lines = [_line(Letter(at, tenant, reason, content)) for content, reason in letters]
        with self._lock:
            if self.path.exists() and self.path.stat().st_size > self._most:
                self.path.replace(self._older)
            self.path.touch(mode=0o600)  # It holds what senders sent.
            with self.path.open("a") as file:
                file.writelines(lines)

    def read(self) -> Iterator[Letter]:
        """All there are, the oldest first; a line that is none is passed over."""
        for path in (self._older, self.path):
            if path.exists():
                yield from (letter for line in path.read_text().splitlines() if (letter := _letter(line)))

    def remove(self, ids: Collection[str]) -> None:
        """Forget some; only where no other process runs that might add others meanwhile."""
        self.forget(lambda letter: letter.id in ids)

    def forget(self, which: Callable[[Letter], bool]) -> int:
        """Forget those of which it is true; how many they were."""
        with self._lock:
            return sum(_forget(path, which) for path in (self._older, self.path) if path.exists())


def _forget(path: Path, which: Callable[[Letter], bool]) -> int:
    lines = path.read_text().splitlines(keepends=True)
    left = [line for line in lines if (letter := _letter(line)) is None or not which(letter)]
    if len(left) < len(lines):
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        with draft.open("w") as file:
            file.writelines(left)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return len(lines) - len(left)


def _line(letter: Letter) -> str:
    content = base64.b64encode(letter.content).decode()
    return json.dumps({"at": letter.at, "tenant": letter.tenant, "reason": letter.reason, "content": content}) + "\n"


def _letter(line: str) -> Letter | None:
    try:
        said = json.loads(line)
        return Letter(said["at"], said["tenant"], said["reason"], base64.b64decode(said["content"]))
    except (ValueError, KeyError, TypeError):
        return None
