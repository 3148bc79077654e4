"""What may happen to a connection on its way to a collector: a proxy of TCP with faults."""

import random
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

MARK = b"marked"
"""Part of every request that is meant; what goes up before it is only the protocol's own."""

FAULTS = ("refuses", "cuts request", "falls silent", "loses answer", "cuts answer", "delays answer")
ANSWERED = FAULTS[3:]
"""Those of which the collector notices nothing: it has taken the request."""


@dataclass(frozen=True)
class Fault:
    """What happens to a connection; `at` is after how many bytes, where that matters."""

    kind: str
    at: int = 0


def faults(dice: random.Random, times: int) -> list[Fault]:
    """Every fault so many times, in any order."""
    made = [Fault(kind, dice.randrange(1, 200)) for kind in FAULTS for _ in range(times)]
    return dice.sample(made, len(made))


class Proxy:
    """Passes connections on; each takes the next of the faults."""

    def __init__(self, target: str, taken: Callable[[], int]) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host.removeprefix("http://"), int(port))
        self._taken = taken
        self.faults: deque[Fault] = deque()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                fault = self.faults.popleft() if self.faults else None
                threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client: socket.socket, fault: Fault | None) -> None:
        if fault and fault.kind == "refuses":
            reset(client)
            return
        server = socket.create_connection(self._target)
        # Until the end, so that the collector hears nothing of a sender that is gone.
        self._open += [client, server]
        passage = Passage(client, server, fault, self._taken)
        threading.Thread(target=passage.up, daemon=True).start()
        passage.down()


class Passage:
    """One connection through the proxy."""

    def __init__(
        self, client: socket.socket, server: socket.socket, fault: Fault | None, taken: Callable[[], int]
    ) -> None:
        self._client = client
        self._server = server
        self._kind = fault.kind if fault else ""
        self._at = fault.at if fault else 0
        self._taken = taken
        self._before = taken()
        self._is_asked = threading.Event()
        self._is_left = threading.Event()

    def up(self) -> None:
        """From the sender to the collector."""
        sent, is_cut = 0, self._kind in {"cuts request", "falls silent"}
        with suppress(OSError):
            while data := self._client.recv(65536):
                if MARK in data:
                    self._is_asked.set()
                if is_cut and sent + len(data) > self._at:
                    self._server.sendall(data[: max(0, self._at - sent)])
                    if self._kind == "cuts request":
                        reset(self._client)
                        return
                else:
                    self._server.sendall(data)
                sent += len(data)
        self._is_left.set()
        if self._kind != "falls silent":
            with suppress(OSError):
                self._server.shutdown(socket.SHUT_WR)

    def down(self) -> None:
        """From the collector to the sender."""
        with suppress(OSError):
            while data := self._server.recv(65536):
                if self._kind in ANSWERED and self._is_asked.is_set():
                    self._spoil(data)
                    return
                self._client.sendall(data)
            self._client.shutdown(socket.SHUT_WR)

    def _spoil(self, answer: bytes) -> None:
        while self._taken() == self._before:
            time.sleep(0.005)
        if self._kind == "cuts answer":
            self._client.sendall(answer[: min(self._at, len(answer) - 1)])
        if self._kind == "delays answer":
            self._is_left.wait(60)
        reset(self._client)


def reset(connection: socket.socket) -> None:
    """End a connection the hard way."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    connection.close()
