"""What an OpenTelemetry Collector takes to accept a span, beside ours: each answers once spans are on its disk.

    python tests/bench/otelcol.py

The other one has its queue on disk, synced, as in deploy/otel-collector-forward.yaml, and nothing to pass spans on to: only
what it accepts is measured. Ours stores and normalises them meanwhile, which its second line leaves out. Needs Go.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ingest import TOTAL, _cpu, _drained, _print, _send, report, requests

COLLECTOR = Path(__file__).parents[1] / "collector"
sys.path.insert(0, str(COLLECTOR))

import opentelemetry_collector  # noqa: E402
from opentelemetry_collector import OpenTelemetryCollector  # noqa: E402
from process import Process  # noqa: E402

ROUNDS = 5
NOWHERE = "127.0.0.1:1"


def accepting(name: str, address: str, pid: int, bodies: list[bytes], settle: Callable[[int], None]) -> None:
    """Send all rounds, and print the CPU and the time until the last was answered."""
    _send(address, bodies, "")
    settle(1)
    began, clock = _cpu(pid), time.perf_counter()
    for _ in range(ROUNDS):
        _send(address, bodies, "")
    answered, wall = _cpu(pid) - began, time.perf_counter() - clock
    total = TOTAL * ROUNDS
    report(f"{name}: until answered", answered / total * 1e6, f"{total / wall:,.0f} spans/s by the clock")
    settle(ROUNDS + 1)
    if (settled := _cpu(pid) - began) > answered * 1.05:
        wall = time.perf_counter() - clock
        report(f"{name}: until all is settled", settled / total * 1e6, f"{total / wall:,.0f} spans/s by the clock")


def main() -> None:
    """Print the table."""
    try:
        program = opentelemetry_collector.program()
    except opentelemetry_collector.UnavailableError as reason:
        _print(str(reason))
        return
    bodies = requests()
    os.environ |= {"TOKENTRACE_ENDPOINT": f"http://{NOWHERE}", "TOKENTRACE_TOKEN": "none"}
    config = Path(__file__).parents[2] / "deploy" / "otel-collector-forward.yaml"
    with tempfile.TemporaryDirectory() as directory:
        queue = {"exporters": {"otlp_http": {"sending_queue": {"queue_size": 1_000_000, "block_on_overflow": False}}}}
        with OpenTelemetryCollector(program, config, Path(directory), queue) as other:
            accepting("OpenTelemetry Collector", other.http, other.pid, bodies, lambda _rounds: None)
    with tempfile.TemporaryDirectory() as directory:
        ours = Process(f"chdb://{directory}", batch_spans=20_000)
        accepting(
            "tokentrace collector", ours.otlp, ours.process.pid, bodies, lambda times: _drained(ours.api, TOTAL * times)
        )
        ours.terminate()


if __name__ == "__main__":
    main()
