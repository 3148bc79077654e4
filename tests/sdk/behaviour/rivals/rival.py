"""What another instrumentation is: how it is switched on, and off where it can be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from opentelemetry.sdk.trace import TracerProvider

Off = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another instrumentation of the same clients."""

    name: str
    module: str
    on: Callable[[TracerProvider], Off]
    """Switches it on, with the application's provider; gives how to switch it off."""

    doors: tuple[str, ...]
    """The clients that it instruments."""

    puts_back: bool = False
    """Whether it puts back the function that it once found, and thereby takes away what came since: ours too."""

    @property
    def is_installed(self) -> bool:
        """Whether this environment has it."""
        try:
            return importlib.util.find_spec(self.module) is not None
        except ModuleNotFoundError:
            return False


def instrumentors(*paths: str) -> Callable[[TracerProvider], Off]:
    """Switches on classes as OpenTelemetry has them, each told as `module:Class`."""

    def on(provider: TracerProvider) -> Off:
        each = [getattr(import_module(path.partition(":")[0]), path.partition(":")[2])() for path in paths]
        for instrumentor in each:
            instrumentor.instrument(tracer_provider=provider)

        def off() -> None:
            for instrumentor in each:
                instrumentor.uninstrument()

        return off

    return on
