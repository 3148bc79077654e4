"""Figures beside what they should be."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def tell(line: str = "") -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def figure(name: str, value: float, unit: str, *, most: float | None = None, least: float | None = None) -> None:
    """Print a figure, its bound, and whether it keeps it."""
    aim = ""
    if most is not None:
        aim = f"aim ≤ {most:,.6g}   {'kept' if value <= most else 'MISSED'}"
    elif least is not None:
        aim = f"aim ≥ {least:,.6g}   {'kept' if value >= least else 'MISSED'}"
    digits = 0 if value >= 1000 else 1 if value >= 10 else 2
    tell(f"{name:<58} {value:>11,.{digits}f} {unit:<16} {aim}".rstrip())


@dataclass(frozen=True, slots=True)
class Taken:
    """What a piece of work took of this process."""

    wall: float
    cpu: float
    peak: float
    """The most memory that was resident meanwhile, in GiB."""


def taken(work: Callable[[], object]) -> Taken:
    """Do it, and measure."""
    # Linux then counts the peak from here on.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Taken(time.perf_counter() - clock, time.process_time() - processor, _peak())


def warm(work: Callable[[], object], rounds: int = 7) -> float:
    """The median by the clock, in ms, when it has been done before."""
    work()
    return sorted(taken(work).wall for _ in range(rounds))[rounds // 2] * 1000


def _peak() -> float:
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.partition("VmHWM:")[2].split()[0]) / (1 << 20)
