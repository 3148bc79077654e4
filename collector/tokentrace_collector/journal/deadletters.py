"""What could not be stored, kept for a person to look at: one JSON document a line."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path

_MOST_BYTES = 64 << 20


class DeadLetters:
    """A bounded file of rejected spans and requests; full, it makes room by forgetting the older half."""

    def __init__(self, path: Path, most_bytes: int = _MOST_BYTES) -> None:
        self.path = path
        self._most = most_bytes // 2
        self._lock = threading.Lock()

    def keep(self, letters: Iterable[tuple[bytes, str]], *, tenant: str) -> None:
        """Add contents with the reasons why they were refused."""
        lines = [
            json.dumps(
                {
                    "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "tenant": tenant,
                    "reason": reason,
                    "content": base64.b64encode(content).decode(),
                }
            )
            for content, reason in letters
        ]
        with self._lock:
            if self.path.exists() and self.path.stat().st_size > self._most:
                self.path.replace(self.path.with_suffix(".old" + self.path.suffix))
            self.path.touch(mode=0o600)  # It holds what senders sent.
            with self.path.open("a") as file:
                file.writelines(line + "\n" for line in lines)
