"""A real OpenTelemetry Collector: built once by its own builder, kept outside the checkout, run as a process."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import platformdirs
import yaml
from process import until

MANIFEST = Path(__file__).parent / "interop" / "otelcol.yaml"
BUILDER = "go.opentelemetry.io/collector/cmd/builder"
HOST = "127.0.0.1"
SOON = {"initial_interval": "50ms", "max_interval": "200ms"}
"""How soon what failed is tried again: tests do not wait as long as one does in production."""


class UnavailableError(Exception):
    """Why there is no OpenTelemetry Collector on this machine."""


def program() -> Path:
    """The program, which is built where it is not there yet: some minutes, the first time.

    Raises UnavailableError where there is no Go, or nothing to get modules from.
    """
    manifest = MANIFEST.read_text()
    target = (
        _cache() / f"{yaml.safe_load(manifest)['dist']['version']}-{hashlib.sha256(manifest.encode()).hexdigest()[:12]}"
    )
    if not target.exists():
        _build(target, yaml.safe_load(manifest))
    return target / "otelcol"


def _build(target: Path, manifest: dict[str, Any]) -> None:
    if shutil.which("go") is None:
        raise UnavailableError("Go is not installed: an OpenTelemetry Collector cannot be built.")
    wanted = f"{BUILDER}@v{manifest['dist']['version']}"
    asked = _go("list", "-m", wanted)
    if asked.returncode:
        raise UnavailableError(f"Go gets no modules: {asked.stderr.strip().splitlines()[-1]}")
    # Renamed when complete: whoever comes second finds all of it or nothing.
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    _done(_go("install", wanted, GOBIN=str(draft)))
    manifest["dist"]["output_path"] = str(draft / "sources")
    (draft / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    builder = [str(draft / "builder"), "--config", str(draft / "manifest.yaml")]
    _done(subprocess.run(builder, capture_output=True, text=True, check=False))
    (draft / "sources" / "otelcol").rename(draft / "otelcol")
    shutil.rmtree(draft / "sources")
    (draft / "builder").unlink()
    try:
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(draft)


def _go(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["go", *arguments], capture_output=True, text=True, check=False, env=os.environ | environment)


def _done(ran: subprocess.CompletedProcess[str]) -> None:
    if ran.returncode:
        raise AssertionError(f"{ran.args} failed:\n{ran.stderr[-4000:]}")


def _cache() -> Path:
    told = os.environ.get("TOKENTRACE_OTELCOL")
    return Path(told) if told else platformdirs.user_cache_path("tokentrace") / "otelcol"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def validate(binary: Path, config: Path, environment: Mapping[str, str]) -> str:
    """What the program says against a configuration; empty where that is valid."""
    command = [binary, "validate", "--config", config]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | dict(environment))
    return "" if ran.returncode == 0 else ran.stderr or f"It ended with status {ran.returncode}."


class OpenTelemetryCollector:
    """A running one: a configuration, and what of it is otherwise here."""

    def __init__(self, binary: Path, config: Path, directory: Path, instead: dict[str, Any]) -> None:
        self.grpc, self.http = f"{HOST}:{free_port()}", f"{HOST}:{free_port()}"
        protocols = {"grpc": {"endpoint": self.grpc}, "http": {"endpoint": self.http}}
        here = {
            "receivers": {"otlp": {"protocols": protocols}},
            "extensions": {"file_storage": {"directory": str(directory / "queue")}},
            "service": {"telemetry": {"metrics": {"level": "none"}}},
        }
        directory.mkdir(parents=True, exist_ok=True)
        others = [directory / "here.yaml", directory / "instead.yaml"]
        for path, content in zip(others, (here, instead), strict=True):
            path.write_text(yaml.safe_dump(content))
        self._command = [str(binary), *(f"--config={path}" for path in (config, *others))]
        self._log = directory / "otelcol.log"

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(self._is_up)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it in order."""
        self._process.terminate()
        self._process.wait(30)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._process.kill()
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text()

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.said[-4000:]
        return all(_answers(address) for address in (self.grpc, self.http))


def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def to_tokentrace(http: str = "", grpc: str = "") -> dict[str, Any]:
    """What makes the deployed configuration send to a collector of ours, by either protocol."""
    kept = {"retry_on_failure": SOON, "sending_queue": {"batch": {"flush_timeout": "50ms"}}}
    if http:
        return {"exporters": {"otlp_http": {"endpoint": f"http://{http}", **kept}}}
    queue = {"enabled": True, "storage": "file_storage", "batch": {"flush_timeout": "50ms", "min_size": 8192}}
    otlp = {"endpoint": grpc, "tls": {"insecure": True}, "retry_on_failure": SOON | {"max_elapsed_time": "0s"}}
    return {
        "exporters": {"otlp_grpc": otlp | {"sending_queue": queue}},
        "service": {"pipelines": {"traces": {"exporters": ["otlp_grpc"]}}},
    }


def to_clickhouse(address: str, database: str) -> dict[str, Any]:
    """What makes the deployed configuration write to a server of a test."""
    clickhouse = {
        "endpoint": address,
        "username": "default",
        "password": "",
        "database": database,
        # What times out is sent again, and comes twice: a slow machine is not what is tested.
        "timeout": "120s",
        "retry_on_failure": SOON,
        "sending_queue": {"batch": {"flush_timeout": "50ms"}},
    }
    return {"exporters": {"clickhouse": clickhouse}}
