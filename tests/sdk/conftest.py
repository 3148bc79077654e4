"""Spans of one test, exported to memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from collecting import Collector
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

import tokentrace
from tokentrace.estimation import tokenizers
from tokentrace.estimation.fetch import FetchError, fetch


class Spans:
    """What was exported, in the order it ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer: Tracer = self.provider.get_tracer("application")

    def __iter__(self) -> Iterator[ReadableSpan]:
        return iter(self._exporter.get_finished_spans())

    def __len__(self) -> int:
        return len(self._exporter.get_finished_spans())

    def ours(self) -> list[ReadableSpan]:
        """The spans that tokentrace made."""
        return [span for span in self if span.instrumentation_scope and span.instrumentation_scope.name == "tokentrace"]

    def only(self) -> dict[str, Any]:
        """Name and attributes of the one span that tokentrace made."""
        (span,) = self.ours()
        return {"name": span.name, **dict(sorted((span.attributes or {}).items()))}

    def clear(self) -> None:
        """Forget what was exported so far."""
        self._exporter.clear()


class Delivered:
    """What tokentrace delivers."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    @property
    def only(self) -> dict[str, Any]:
        """The attributes of the only span."""
        (span,) = self.spans
        return dict(span.attributes or {})

    @property
    def estimates(self) -> list[list[dict[str, Any]]]:
        """By span and attempt: what it is said that the attempt may have been billed."""
        key = "tokentrace.attempt.estimate."
        told = [[dict(event.attributes or {}) for event in span.events] for span in self.spans]
        return [[{name: each[name] for name in each if name.startswith(key)} for each in events] for events in told]

    @property
    def spans(self) -> Any:
        """All, once they have been delivered."""
        assert tokentrace.flush(10)
        return self.exporter.get_finished_spans()


@pytest.fixture(autouse=True)
def _spool(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a test cannot deliver is left to no other, nor to the user who runs it."""
    monkeypatch.setenv("TOKENTRACE_SPOOL", str(tmp_path_factory.mktemp("spool")))


@pytest.fixture(autouse=True)
def _no_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates are the same on every machine, whatever lies in its caches."""
    monkeypatch.setenv(tokenizers.DIRECTORY, "")


@pytest.fixture(scope="session")
def rank_files() -> Path:
    """A directory of rank files that outlives this checkout; they are fetched once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(tokenizers.DIRECTORY, raising=False)
        own = tokenizers.directory()
        assert own is not None
        places = [own / f"{encoding}.tiktoken" for encoding in tokenizers.RANK_FILES]
        if not all(place.exists() and tokenizers.is_intact(place.stem, place.read_bytes()) for place in places):
            try:
                fetch()
            except FetchError as error:
                pytest.skip(f"the rank files cannot be fetched: {error}")
        return own


@pytest.fixture
def ranks(rank_files: Path, _no_ranks: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Estimates count by ranks."""
    monkeypatch.setenv(tokenizers.DIRECTORY, str(rank_files))
    return rank_files


@pytest.fixture
def metering(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[Spans]]:
    """Instruments everything for the length of a `with`; an error of ours is raised instead of logged."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")

    @contextmanager
    def metered(**options: Any) -> Iterator[Spans]:
        spans = Spans()
        tokentrace.instrument(tracer_provider=spans.provider, **options)
        try:
            yield spans
        finally:
            tokentrace.uninstrument()

    return metered


@pytest.fixture
def spans(metering: Callable[[], AbstractContextManager[Spans]]) -> Iterator[Spans]:
    """Everything is instrumented for one test."""
    with metering() as exported:
        yield exported


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Takes what is sent to it."""
    taking = Collector()
    yield taking
    taking.close()


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> Iterator[Delivered]:
    """Spans of an application that has no provider of its own, with what the delivery made up for."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", type(trace._TRACER_PROVIDER_SET_ONCE)())
    found = Delivered()
    tokentrace.instrument(exporter=found.exporter)
    yield found
    tokentrace.uninstrument()
