"""One performance of the demo: provider, collector and agent, and the report on the agent's request."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Self

from tokentrace_collector.cli.own import OwnCollector
from tokentrace_collector.config import Config
from tokentrace_collector.demo.process import AgentProcess
from tokentrace_collector.demo.provider import Provider
from tokentrace_collector.demo.recorder import Recorder
from tokentrace_collector.reports.documents.requests import RequestReport
from tokentrace_collector.serve import Addresses

_PATIENCE = 60.0
_FIRST_SECONDS = 2.0


class Run:
    """The demo's processes and servers, up while the context lasts; `store` None is a temporary one."""

    def __init__(self, store: str | None, without: frozenset[str], *, stays: bool, tell: Callable[[str], None]) -> None:
        self._store = store
        self._without = without
        self._stays = stays
        self._tell = tell
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            # Its imports take longest, so it begins before anything that does not need it.
            self._agent = opened.enter_context(AgentProcess())
            directory = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="tokentrace-demo-")))
            self._provider = opened.enter_context(Provider(breaks_stream="broken_stream" not in self._without))
            self._tell("Starting a collector over an embedded store.")
            self._collector = opened.enter_context(OwnCollector(self._store, self._config(directory)))
            self._recorder = opened.enter_context(Recorder(self.addresses.otlp_http))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def addresses(self) -> Addresses:
        """Where the collector answers."""
        return self._collector.addresses

    def play(self) -> RequestReport:
        """Have the agent do its work; what its request cost."""
        self._tell("The agent is at work: openai, anthropic and google-genai against a provider on this machine.")
        # Capacity is charged by the second: in the first moments of an hour none has stood idle yet.
        time.sleep(max(0.0, _FIRST_SECONDS - time.time() % 3600))
        self._trace_id = self._agent.work(
            self._recorder.endpoint, self._provider.addresses, self._without, patience=_PATIENCE
        )
        return self._report()

    def resend(self) -> RequestReport:
        """Deliver every span twice more, shuffled; what the request cost by then."""
        self._tell(f"{self._recorder.resend()} requests delivered again, one span each, in no order.")
        return self._report()

    def _report(self) -> RequestReport:
        report = self._collector.settled().request(self._trace_id)
        if report is None:
            raise RuntimeError(f"The books do not know the trace {self._trace_id} that the agent has just made.")
        return report

    def _config(self, directory: Path) -> Config:
        own = files("tokentrace_collector.demo")
        parts = ["book.yaml"] if "pool" in self._without else ["book.yaml", "pool.yaml"]
        price_book = directory / "book.yaml"
        price_book.write_text("".join((own / part).read_text(encoding="utf-8") for part in parts), encoding="utf-8")
        usual = Config()
        return Config(
            book=price_book,
            http_port=self._port(usual.http_port),
            grpc_port=self._port(usual.grpc_port),
            api_port=self._port(usual.api_port),
            # The first run loads the price catalogue; it had better do so while the agent is still starting.
            rollup_seconds=1.0,
        )

    def _port(self, usual: int) -> int:
        """The usual port for a collector that stays, where it is free; else any."""
        with socket.socket() as probe:
            return usual if self._stays and probe.connect_ex(("127.0.0.1", usual)) else 0
