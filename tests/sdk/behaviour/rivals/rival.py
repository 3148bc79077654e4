"""What another instrumentation is: how it is switched on, and off where it can be."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from opentelemetry.sdk.trace import TracerProvider

from behaviour.door import Door

Off = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another instrumentation of the same clients."""

    name: str
    module: str
    on: Callable[[TracerProvider], Off]
    """Switches it on, with the application's provider; gives how to switch it off."""

    doors: Mapping[str, str]
    """The clients that it instruments, and the module that does."""

    puts_back: bool = False
    """Whether it puts back the function that it once found, and thereby takes away what came since: ours too."""

    goes: bool = True
    """Whether it can be switched off."""

    @property
    def is_installed(self) -> bool:
        """Whether this environment has it."""
        return is_there(self.module)

    def is_of(self, door: Door) -> bool:
        """Whether this environment has a client, and what instruments it."""
        return door.is_installed and door.name in self.doors and is_there(self.doors[door.name])


def is_there(module: str) -> bool:
    """Whether this environment has a module."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def instrumentors(*paths: str) -> Callable[[TracerProvider], Off]:
    """Switches on those classes that are there, as OpenTelemetry has them, each told as `module:Class`."""

    def on(provider: TracerProvider) -> Off:
        parts = [path.partition(":") for path in paths]
        each = [getattr(import_module(module), kind)() for module, _, kind in parts if is_there(module)]
        for instrumentor in each:
            instrumentor.instrument(tracer_provider=provider)

        def off() -> None:
            for instrumentor in each:
                instrumentor.uninstrument()

        return off

    return on
