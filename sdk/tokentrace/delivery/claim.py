"""Who owns what in a directory that several processes share, and what belongs to nobody since its owner has died."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

OPEN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Flags of every file that is opened here: never through a link that somebody else may have laid."""


def private(directory: Path) -> None:
    """Have a directory that only this user can look into. Raises OSError where there can be none."""
    directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        directory.mkdir(mode=0o700)
    if sys.platform == "win32":
        return
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{directory} is not a directory of this user.")
    if found.st_mode & 0o022:
        raise PermissionError(f"{directory} can be written by others.")
    if found.st_mode & 0o077:
        directory.chmod(0o700)


def _try_lock(fd: int) -> None:
    """Lock a file until it is closed, or the process ends in whatever way; OSError where another has it."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415

        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415

        # Of the open file, not of the process: a second spool of this process is a stranger too.
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


@dataclass(slots=True)
class Claim:
    """A lock file that this process holds."""

    path: Path
    fd: int

    @classmethod
    def take(cls, path: Path) -> Claim | None:
        """The claim; None where somebody who is alive has it, or has just given it up. Raises OSError."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | OPEN, 0o600)
        try:
            _try_lock(fd)
            # Who gives up a claim removes its file, perhaps between our opening and locking it.
            if os.path.samestat(os.fstat(fd), path.lstat()):
                return cls(path, fd)
        except OSError:
            pass
        os.close(fd)
        return None

    def give_up(self) -> None:
        """Remove the file, for there is nothing left to own."""
        if sys.platform == "win32":
            os.close(self.fd)
            self.path.unlink(missing_ok=True)
            return
        with suppress(OSError):
            self.path.unlink()
        os.close(self.fd)

    def leave(self) -> None:
        """Let go of it, as the end of the process would, for the next who looks."""
        os.close(self.fd)
