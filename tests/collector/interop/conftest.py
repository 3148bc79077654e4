"""A real OpenTelemetry Collector, with the configurations that are deployed."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import opentelemetry_collector
import pytest
from opentelemetry_collector import OpenTelemetryCollector, UnavailableError

DEPLOY = Path(__file__).parents[3] / "deploy"


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """The program."""
    try:
        return opentelemetry_collector.program()
    except UnavailableError as reason:
        pytest.skip(str(reason))


Started = Callable[..., OpenTelemetryCollector]


@pytest.fixture
def start(otelcol: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    """Starts one from a file of `deploy/`, with what is otherwise here; ends it after the test."""
    for name in (
        "TOKENTRACE_ENDPOINT",
        "TOKENTRACE_TOKEN",
        "CLICKHOUSE_ENDPOINT",
        "CLICKHOUSE_USER",
        "CLICKHOUSE_PASSWORD",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with ExitStack() as running:
        yield lambda config, instead: running.enter_context(
            OpenTelemetryCollector(otelcol, DEPLOY / config, tmp_path / "otelcol", instead)
        )
