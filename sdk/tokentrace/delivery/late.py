"""An exporter that is made when there is something to export."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class Late(SpanExporter):
    """What an exporter imports takes longer than all of ours: that is for the thread that exports."""

    def __init__(self, make: Callable[[], SpanExporter]) -> None:
        self._make = make
        self._made: SpanExporter | None = None

    def prepare(self) -> SpanExporter:
        """Make it now."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self.prepare().export(spans)

    def shutdown(self) -> None:
        if self._made is not None:
            self._made.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._made is None or self._made.force_flush(timeout_millis)
