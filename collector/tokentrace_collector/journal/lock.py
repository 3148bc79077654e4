"""One process at a time: a file that is held for as long as its holder lives, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class InUseError(Exception):
    """Another process holds what we need."""


def hold(path: Path, what: str) -> int:
    """Take a lock, and give the handle that keeps it; `what` it is that another may have is for the message."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(handle, 32).decode() or "unknown"
        os.close(handle)
        raise InUseError(f"{what} is in use by the collector with process id {holder}. Stop it first.") from None
    os.truncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return handle
