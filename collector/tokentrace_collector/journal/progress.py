"""How far the journal has reached the database: settled entries, and the batch under way, in one small file."""

from __future__ import annotations

import json
import os
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cut:
    """The borders of a batch, fixed before its first insert so that every later try is of the same rows."""

    first: int
    last: int
    token: str
    """What the database recognises a second insert of it by."""
    at: int
    """When they were fixed, in nanoseconds of the Unix epoch: no insert of the batch was earlier."""


@dataclass(frozen=True, slots=True)
class Progress:
    """All entries up to `settled` are in the database; those of `cut` may be."""

    settled: int = 0
    cut: Cut | None = None

    def save(self, path: Path) -> None:
        """Put it on disk in place of the last, whole or not at all."""
        content = json.dumps(asdict(self))
        draft = path.with_suffix(".new")
        with draft.open("w") as file:
            file.write(f"{zlib.crc32(content.encode()):08x} {content}")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def load(path: Path) -> Progress | None:
    """The progress on disk; None if there is none that can be trusted."""
    try:
        checksum, _, content = path.read_text().partition(" ")
        if int(checksum, 16) != zlib.crc32(content.encode()):
            return None
        saved = json.loads(content)
    except (OSError, ValueError):
        return None
    return Progress(saved["settled"], Cut(**saved["cut"]) if saved["cut"] else None)
