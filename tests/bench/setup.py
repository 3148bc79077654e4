"""What it costs to be set up, and where that goes: beside OpenTelemetry's SDK and exporter, and a client.

    python tests/bench/setup.py [CLIENT]

The client, as `openai`, is imported before; without one nothing is there to be metered yet. Figures are CPU of the
process from `import tokentrace` to the end of `instrument()`, with bytecode from an earlier start, the least of some
starts; by module it is the least of each, which Python itself counts, and is slower for it. Compare within one run only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

STARTS = 7
MARK = "tokentrace is set up from here on"
SETTING_UP = f"""
import importlib, json, os, sys, time
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import TracerProvider
for client in sys.argv[1:]:
    importlib.import_module(client)
trace.set_tracer_provider(TracerProvider())
before = set(sys.modules)
print({MARK!r}, file=sys.stderr, flush=True)
began = time.process_time_ns()
import tokentrace
imported = time.process_time_ns()
tokentrace.instrument()
ended = time.process_time_ns()
loaded = sorted(set(sys.modules) - before)
print(json.dumps([(imported - began) / 1e6, (ended - imported) / 1e6, loaded]), flush=True)
os._exit(0)
"""


def main(clients: list[str]) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as bytecode:
        _start(clients, bytecode)
        starts = [json.loads(_start(clients, bytecode).stdout) for _ in range(STARTS)]
        tables = [_own(_start(clients, bytecode, "-X", "importtime").stderr) for _ in range(STARTS)]
    imported, instrumented, loaded = min(starts, key=lambda start: start[0] + start[1])
    print(f"import {imported:.1f} ms + instrument() {instrumented:.1f} ms = {imported + instrumented:.1f} ms of CPU")
    print(f"{len(loaded)} modules, of which ours: {sum(name.startswith('tokentrace') for name in loaded)}\n")
    least = {module: min(table[module] for table in tables if module in table) for module in tables[0]}
    for module, own in sorted(least.items(), key=lambda row: -row[1]):
        print(f"{own:8.2f} ms  {module}")


def _own(told: str) -> dict[str, float]:
    """Milliseconds by module, without those that it imports."""
    rows = (line.removeprefix("import time:").split("|") for line in told.partition(MARK)[2].splitlines())
    return {row[2].strip(): int(row[0]) / 1000 for row in rows if len(row) > 1}


def _start(clients: list[str], bytecode: str, *options: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = bytecode
    command = [sys.executable, *options, "-c", SETTING_UP, *clients]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env)


if __name__ == "__main__":
    main(sys.argv[1:])
