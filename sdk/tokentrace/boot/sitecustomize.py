"""Python imports this at its start, before the program: `tokentrace run` has put its folder on PYTHONPATH."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

NOTES = "TOKENTRACE_RUN"
"""The folder in which every process of the program notes whether it could be metered."""


def meter() -> None:
    """Meter this process, and note whether that was possible; nothing here may keep the program from starting."""
    told = ""
    try:
        import tokentrace  # noqa: PLC0415  (may not be there at all)

        tokentrace.instrument()
    except Exception as error:  # noqa: BLE001  (whatever it is, the program starts)
        told = f"{type(error).__name__}: {error}"
    if folder := os.environ.get(NOTES):
        try:
            Path(folder, str(os.getpid())).write_text(f"{sys.executable}\n{told}", encoding="utf-8")
        except OSError:
            # A process that outlives the run: there is nobody to read it.
            return


def pass_on() -> None:
    """Have the `sitecustomize` run that would have run without us; its errors are the program's."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [each for each in sys.path if not each or Path(each).resolve() != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = sys.modules["sitecustomize"] = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "sitecustomize":
    meter()
    pass_on()
