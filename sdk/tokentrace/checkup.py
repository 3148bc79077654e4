"""The way to the diagnosis, which nobody loads who does not ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokentrace.diagnosis.report import Report


def doctor(*, probe: bool = True, timeout: float = 3.0) -> Report:
    """What could keep the figures of this process from being right: `print(tokentrace.doctor())`.

    It never raises; what it could not find out is a problem of the report. `report.problems` is empty where all is
    well.

    Args:
        probe: Send the collector an empty request, to see what it answers.
        timeout: Seconds to wait for that answer.

    """
    from tokentrace.diagnosis import examination  # noqa: PLC0415  (an application that never asks pays nothing)

    return examination.examine(timeout if probe else None)
