"""A collector in a process of its own, which may have another interpreter than the frameworks have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from http import HTTPStatus
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

PYTHON = "COLLECTOR_PYTHON"
"""Names the interpreter that has the collector, where it is not this one."""
REPORT = "tokentrace.report"
PATIENCE = 60.0
SERVE = """
import sys
from tokentrace_collector import assembly, serve
from tokentrace_collector.config import Config

config = Config(store=sys.argv[1], http_port=0, grpc_port=0, api_port=0, batch_spans=1, batch_seconds=0.01)
serve.run(assembly.collector(config), tell=lambda found: print(found.otlp_http, found.api, flush=True))
"""


class Books:
    """What the collector makes of spans."""

    def __init__(self, otlp: str, api: str) -> None:
        self._exporter = OTLPSpanExporter(f"{otlp}/v1/traces")
        self._api = api

    def report(self, spans: Iterable[ReadableSpan]) -> dict[str, Any]:
        """The document of the only request that the spans are of."""
        told = list(spans)
        (trace,) = {span.context.trace_id for span in told if span.context}
        assert self._exporter.export(told) is SpanExportResult.SUCCESS
        self._ask("POST", "/v1/rollup")
        report: dict[str, Any] = self._ask("GET", f"/v1/traces/{trace:032x}")
        return report

    def roles(self, spans: Iterable[ReadableSpan]) -> list[tuple[str, str]]:
        """Model and role of every call that bears its cost, in the order they began."""
        calls = [each for each in self.report(spans)["spans"] if each["kind"] == "call" and each["borne_by"] is None]
        return [(each["model"], each["role"]) for each in sorted(calls, key=lambda each: each["offset"])]

    def lost(self, spans: Iterable[ReadableSpan]) -> list[tuple[int, int]]:
        """Input and output of each call that is errors, in the order they began; no rejection changes the total."""
        told = list(spans)
        before = self.report([span for span in told if (span.attributes or {}).get(REPORT) != "rejection"])
        after = self.report(told)
        assert Decimal(after["total"]) == Decimal(before["total"]) > 0
        errors = Decimal(after["components"].get("errors", 0))
        calls = sorted((each for each in after["spans"] if Decimal(each["cost"] or 0)), key=lambda each: each["offset"])
        every = (few for number in range(len(calls) + 1) for few in combinations(calls, number))
        # The calls of a script cost so differently that no others cost the same together.
        (lost,) = [few for few in every if sum(Decimal(each["cost"]) for each in few) == errors]
        return [_sizes(each["tokens"]) for each in lost]

    def _ask(self, method: str, path: str) -> Any:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with urlopen(Request(self._api + path, method=method), timeout=PATIENCE) as answer:
                    return json.load(answer)
            except HTTPError as error:
                with error:
                    if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > until:
                        raise
                # The collector asks to come again.
                time.sleep(0.05)


def _sizes(tokens: Mapping[str, int]) -> tuple[int, int]:
    given = sum(count for bucket, count in tokens.items() if bucket.startswith(("input", "cache")))
    return given, sum(tokens.values()) - given


@contextmanager
def opened(directory: Path) -> Iterator[Books]:
    """Books that are kept for as long as the context lasts."""
    if (python := os.environ.get(PYTHON)) is None:
        if find_spec("chdb") is None:
            pytest.skip(f"the collector is not installed here, and {PYTHON} names no interpreter that has it")
        python = sys.executable
    command = [python, "-c", SERVE, f"chdb://{directory}/books"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield Books(*line.split())
    finally:
        process.kill()
        process.communicate()
