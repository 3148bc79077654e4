"""Collectors that are born quickly and die where they are told to: for tests that kill them often."""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Death:
    """Where a collector dies: around the nth time that it does something."""

    point: str
    side: str
    """`before`, `during` or `after` it."""
    nth: int
    delay: float = 0
    """Seconds into it, of a death during it."""


POINTS = (
    "the tables are made",
    "the journal takes entries",
    "progress is noted",
    "spans are inserted",
    "an answer is counted",
    "a batch is settled",
    "a file is deleted",
    "a batch is completed",
)


def deaths(dice: random.Random, nth: int) -> list[Death]:
    """Every point and side, around the nth time; in any order."""
    made = [
        Death(point, side, 1 if point == POINTS[0] else nth, dice.uniform(0, 0.03))
        for point in POINTS
        for side in ("before", "during", "after")
    ]
    return dice.sample(made, len(made))


class Nursery:
    """Makes collectors of one store, one after the other, by fork: what they need is loaded once."""

    def __init__(self, store: str) -> None:
        command = [sys.executable, __file__, store]
        # A pool of threads for algebra would not survive a fork.
        alone = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=alone)

    def bear(self, death: Death | None) -> "Child":
        """Another collector."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(asdict(death) if death else None) + "\n")
        self._process.stdin.flush()
        return Child(self._line)

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


class Child:
    """A collector of a nursery; `otlp` is empty if it died before it told where it is."""

    def __init__(self, line: Callable[[], str]) -> None:
        self._line = line
        self.pid = int(line())
        self.died_at = ""
        """The point at which it died by itself."""
        self.otlp = self.api = ""
        self._gone = threading.Event()
        told = self._heard()
        if told.startswith("at "):
            self.otlp, self.api = told.split()[1:]
            self._watch = threading.Thread(target=self._listen)
            self._watch.start()

    @property
    def is_gone(self) -> bool:
        return self._gone.is_set()

    @property
    def is_idle(self) -> bool:
        """Whether it has stored everything, or is dead."""
        try:
            with closing(http.client.HTTPConnection(self.api, timeout=10)) as connection:
                connection.request("GET", "/readyz")
                return json.loads(connection.getresponse().read())["backlog"]["entries"] == 0
        except (OSError, http.client.HTTPException):
            return True

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._gone.wait(30)
        if self.otlp:
            self._watch.join()

    def _listen(self) -> None:
        while not self.is_gone:
            self._heard()

    def _heard(self) -> str:
        while True:
            line = self._line()
            if line.startswith("dies "):
                self.died_at = line.removeprefix("dies ")
                continue
            if line in ("gone", ""):
                self._gone.set()
            return line


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def run(store: str) -> None:
    """The nursery itself: a line of input is a death, and makes a collector that dies so."""
    from tokentrace_collector import serve
    from tokentrace_collector.config import Config
    from tokentrace_collector.journal.entries import Limits

    limits = Limits(segment_bytes=1_500, batch_spans=400)
    config = Config(
        store=store, http_port=0, grpc_port=0, api_port=0, batch_spans=40, batch_seconds=0.02, journal=limits
    )
    for line in sys.stdin:
        if not (pid := os.fork()):
            tell(str(os.getpid()))
            if told := json.loads(line):
                prepare(Death(**told))
            serve.run(
                serve.Collector(config),
                tell=lambda at: tell(f"at {at.otlp_http.removeprefix('http://')} {at.api.removeprefix('http://')}"),
            )
            os._exit(0)
        os.waitpid(pid, 0)
        tell("gone")


def prepare(death: Death) -> None:
    from tokentrace_collector.ingest.drain import Drain
    from tokentrace_collector.journal.entries import Journal
    from tokentrace_collector.journal.progress import Progress
    from tokentrace_collector.journal.segment import Segment, Writer
    from tokentrace_collector.receive.intake import Intake
    from tokentrace_collector.store import schema
    from tokentrace_collector.store.database import Store

    places: tuple[tuple[Any, str], ...] = (
        (schema, "apply"),
        (Writer, "append"),
        (Progress, "save"),
        (Store, "insert_spans"),
        (Intake, "count"),
        (Journal, "settle"),
        (Segment, "remove"),
        (Drain, "_complete"),
    )
    where, name = dict(zip(POINTS, places, strict=True))[death.point]
    setattr(where, name, mortal(getattr(where, name), death))


def mortal(action: Callable[..., Any], death: Death) -> Callable[..., Any]:
    """Kill the process around the nth call of a function."""
    left = death.nth

    def die() -> None:
        tell(f"dies {death.point}, {death.side}")
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    def die_soon() -> None:
        time.sleep(death.delay)
        die()

    @wraps(action)
    def acting(*arguments: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and death.side == "before":
            die()
        if left == 0 and death.side == "during":
            threading.Thread(target=die_soon, daemon=True).start()
        result = action(*arguments, **named)
        if left == 0 and death.side == "after":
            die()
        return result

    return acting


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    run(sys.argv[1])
