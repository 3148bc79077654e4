"""Every client that has quick starts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from quickstarts.quickstart import Client


def clients() -> tuple[Client, ...]:
    """The clients by library: each module of this folder that names one."""
    modules = (import_module(f"quickstarts.{path.stem}") for path in sorted(Path(__file__).parent.glob("*.py")))
    found = (getattr(module, "CLIENT", None) for module in modules)
    return tuple(sorted((one for one in found if isinstance(one, Client)), key=lambda one: one.library))
