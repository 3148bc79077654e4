"""A collector in a process of its own, for tests that kill it or watch it from outside."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("collector_process.py")


class Process:
    """A collector in a process of its own."""

    def __init__(self, store: str, *, batch_spans: int = 200, ports: str = "0 0", under: Sequence[str] = ()) -> None:
        command = [*under, sys.executable, str(PROGRAM), "serve", store, str(batch_spans), "0.05", *ports.split()]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        told = self.process.stdout.readline().split()
        self.otlp, self.api, self.grpc = (address.removeprefix("http://") for address in told)

    def get(self, path: str) -> dict[str, Any]:
        with closing(http.client.HTTPConnection(self.api, timeout=10)) as connection:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    @property
    def backlog(self) -> int:
        return self.get("/readyz")["backlog"]["entries"]

    @property
    def batches(self) -> int:
        return self.get("/readyz")["counts"]["batches_stored"]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return self.process.returncode

    def end(self) -> None:
        """End it in order, however long that takes."""
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()

    @staticmethod
    def ask(*question: str) -> str:
        """What the program says of a store that no collector holds."""
        command = [sys.executable, str(PROGRAM), *question]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
