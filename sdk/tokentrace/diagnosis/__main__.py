"""`python -m tokentrace.diagnosis`: the report on an environment instead of a process, as one JSON document.

Everything is instrumented here, and every client that is installed is really imported.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import asdict

from tokentrace import session
from tokentrace.diagnosis import examination
from tokentrace.diagnosis.report import Problem
from tokentrace.seams import fit, install

_PATIENCE = 5.0
"""Seconds for the collector to answer."""


def main() -> None:
    """Print the report."""
    # Whatever an import says, the document stands alone.
    with redirect_stdout(sys.stderr):
        with suppress(ValueError):
            # The report says it too.
            session.instrument()
        broken = list(_imported())
        report = examination.examine(_PATIENCE)
    problems = [*report.problems, *broken]
    findings = [*report.findings, *(("failed", each.thing, f"{each.value} {each.remedy}") for each in broken)]
    document = asdict(report) | {"problems": [asdict(each) for each in problems], "findings": findings}
    sys.stdout.write(json.dumps(document) + "\n")


def _imported() -> Iterator[Problem]:
    """Import what we cut into; what cannot be, although its library is installed, is a problem."""
    failed: set[str] = set()
    for integration in install.integrations():
        for seam in fit.seams(integration):
            library = fit.library(seam, integration)
            release = fit.installed(library)
            if release is None or library in failed:
                continue
            try:
                importlib.import_module(seam.module)
            except ModuleNotFoundError:
                # A function of other releases, or one that needs what is not installed.
                continue
            except Exception as error:  # noqa: BLE001  (whatever a library does when it is imported)
                failed.add(library)
                told = f"{seam.module} cannot be imported: {type(error).__name__}: {error}."
                yield Problem(
                    f"{library} {release}", told, f"Repair it with `pip install --force-reinstall {library}`."
                )


if __name__ == "__main__":
    main()
