"""The entry point of `opentelemetry-instrument`, which meters an application that does not mention us."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tokentrace import session
from tokentrace.guard import log


class TokentraceInstrumentor:
    """Has the interface of OpenTelemetry's `BaseInstrumentor`, whose package an application may well not have."""

    @property
    def is_instrumented_by_opentelemetry(self) -> bool:
        """Whether this process is metered."""
        return session.current() is not None

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing: clients are found as they are imported."""
        return ()

    def instrument(self, **options: Any) -> None:
        """Meter this process. Never raises: an error here would end all of the automatic instrumentation.

        Of the options it takes `tracer_provider` and `meter_provider`, as every instrumentor does.
        """
        given = {name: options.get(name) for name in ("tracer_provider", "meter_provider")}
        try:
            session.instrument(**given)
        except Exception as error:  # noqa: BLE001
            log.error("tokentrace meters nothing in this process: %s", error)

    def uninstrument(self, **_options: Any) -> None:
        """Take everything back."""
        session.uninstrument()
