"""What instrumentations of the openai client cost, side by side: CPU of a call, of a chunk, of setting up.

    python tests/bench/peers.py [ROUNDS]

Each runs in an environment of its own, made by uv and kept outside the checkout, in turn, `ROUNDS` times (12), each
time in a new process: what a call costs is not the same in any two of them. What is printed is added to the client
alone in the same round, the median of all rounds, and for a call how far half of the rounds were off that at most; an
earlier start has left bytecode, as an installer does. Compare within one run only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import platformdirs
import uv

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENT = "openai==3.54.0"
OTEL = "opentelemetry-exporter-otlp"
NEEDS: dict[str, tuple[str, ...]] = {
    "nothing": (CLIENT, OTEL),
    "a bare span": (CLIENT, OTEL),
    "tokentrace": (CLIENT, f"--editable={ROOT}"),
    "tokentrace alone": (CLIENT, f"--editable={ROOT}"),
    "OpenTelemetry GenAI": (CLIENT, OTEL, "opentelemetry-instrumentation-genai-openai==1.3b0"),
    "OpenInference": (CLIENT, OTEL, "openinference-instrumentation-openai==0.1.66"),
    "OpenLLMetry": (CLIENT, OTEL, "opentelemetry-instrumentation-openai==0.62.4"),
    "Langfuse": (CLIENT, OTEL, "langfuse==5.0.4"),
    "Logfire": (CLIENT, OTEL, "logfire==5.4.0"),
    "OpenLIT": ("openai==2.54.0", OTEL, "openlit==1.45.0"),
}
"""By peer: what its environment has. Each is given the provider of an application, through which its spans go;
`tokentrace alone` delivers its own, of an application that has none. OpenLIT does not install beside openai 3; it is measured over openai 2 alone."""
BESIDE = {"OpenLIT": ("openai==2.54.0", OTEL)}
"""What the client alone is for a peer with another release of it."""
CHUNKS = 200
"""What the longer stream has more than the shorter one."""


def main(rounds: int) -> None:
    """Measure and print a table."""
    pythons = {peer: _python(needs) for peer, needs in NEEDS.items()}
    alone = {peer: _python(needs) for peer, needs in BESIDE.items()}
    for peer, python in pythons.items():
        _measured(python, peer)
    added: dict[str, list[dict[str, float]]] = {peer: [] for peer in NEEDS if peer != "nothing"}
    for _ in range(rounds):
        nothing = _measured(pythons["nothing"], "nothing")
        for peer, found in added.items():
            without = _measured(alone[peer], "nothing") if peer in alone else nothing
            with_it = _measured(pythons[peer], peer)
            found.append({what: with_it[what] - without[what] for what in without})
    print(f"{'':22}{'call µs':>10}{'±':>5}{'× span':>8}{'chunk µs':>10}{'set-up ms':>11}{'modules':>9}")
    span = median(found["call"] for found in added["a bare span"])
    for peer, found in added.items():
        usual = {what: median(each[what] for each in found) for what in found[0]}
        off = median(abs(each["call"] - usual["call"]) for each in found)
        chunk = median((each["many"] - each["few"]) / CHUNKS for each in found)
        print(
            f"{peer:22}{usual['call']:10.0f}{off:5.0f}{usual['call'] / span:8.2f}{chunk:10.2f}"
            f"{usual['setup']:11.0f}{usual['modules']:9.0f}"
        )


def _measured(python: Path, peer: str) -> dict[str, float]:
    command = [python, HERE / "subject.py", peer]
    env = {name: value for name, value in os.environ.items() if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}}
    env["PYTHONPYCACHEPREFIX"] = str(python.parents[1] / "bytecode")
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE, env=env)
    line = next(line for line in reversed(ran.stdout.splitlines()) if line.startswith('{"setup"'))
    found: dict[str, float] = json.loads(line)
    return found


def _python(needs: tuple[str, ...]) -> Path:
    """The interpreter of an environment with these packages, made where it is not there."""
    key = hashlib.sha256("\n".join((sys.version, *needs)).encode()).hexdigest()[:12]
    target = platformdirs.user_cache_path("tokentrace") / "peers" / key
    python = target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(target))
        _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(target), *needs)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([uv.find_uv_bin(), *arguments], check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12)
