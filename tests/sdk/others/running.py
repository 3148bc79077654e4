"""A collector of its own, and applications that send to it: what they were billed, and what everybody told of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from others.other import Other

PYTHON = os.environ.get("COLLECTOR_PYTHON", sys.executable)
"""The interpreter that has the collector; no environment of a library has it."""
Row = dict[str, Any]

_SDK = Path(__file__).parents[1]
_SERVE = "from tokentrace_collector.cli import main; main()"
_READ = """
import json, sys
from tokentrace_collector.store.database import Store
store = Store.open(sys.argv[1])
print(json.dumps(store.query('''
    SELECT service, trace_id, library, name, dialect, scope, provider, model, response_id, tokens
    FROM llm_calls FINAL
    WHERE part = 0
    ORDER BY started_at, ended_at, span_id
''')))
store.close()
"""


@dataclass
class Running:
    """A collector while the context lasts, or until its rows are read."""

    books: Path
    _billed: dict[str, tuple[dict[str, Any], int]] = field(default_factory=dict)
    _rows: list[Row] | None = None

    def __enter__(self) -> Self:
        run = [PYTHON, "-c", _SERVE, "collector", "--store", f"chdb://{self.books}"]
        ports = ["--http", "0", "--grpc", "0", "--api", "0"]
        self._process = subprocess.Popen([*run, *ports], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self._process.stderr.readline()
            assert line, said
            said += line
        addresses = json.loads((self.books / "collector.json").read_text())
        self.otlp, self.api = addresses["otlp_http"], addresses["api"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            self._process.communicate()

    def billed(self, other: Other) -> tuple[dict[str, Any], int]:
        """What the application was billed, traced by somebody else and by us, and how many spans the other told."""
        if other.name not in self._billed:
            self._billed[other.name] = self._run(other)
        return self._billed[other.name]

    def _run(self, other: Other) -> tuple[dict[str, Any], int]:
        paths = os.pathsep.join([str(_SDK), str(_SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
        spool = self.books.with_name(f"spool of {other.name}")
        more = {
            "PYTHONPATH": paths,
            "TOKENTRACE_STRICT": "1",
            "TOKENTRACE_SPOOL": str(spool),
            "OTEL_SERVICE_NAME": other.name,
        }
        spool.mkdir()
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "others.application", other.name, self.otlp],
            capture_output=True, text=True, check=False, env=os.environ | more,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        billed, told = json.loads(ran.stdout.splitlines()[-1])
        return billed, told

    def rows(self, others: Sequence[Other]) -> list[list[Row]]:
        """The rows of `llm_calls` in traces of each; nothing can be sent from then on."""
        if self._rows is None:
            # With it, what was accepted is stored.
            ask(f"{self.api}/v1/rollup", post=True)
            self._stop()
            command = [PYTHON, "-c", _READ, f"chdb://{self.books}"]
            self._rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        # Who has a provider of his own may give his service another name.
        traces = {row["trace_id"]: row["service"] for row in self._rows if row["library"] == "application"}
        return [[row for row in self._rows if traces.get(row["trace_id"]) == other.name] for other in others]


def ask(url: str, *, post: bool = False, **asked: str) -> Any:
    """What the collector answers, once its store is open."""
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(asked)}", method="POST" if post else "GET")
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            time.sleep(float(error.headers["retry-after"]))
