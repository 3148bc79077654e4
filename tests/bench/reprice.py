"""How long a trial of other prices takes, and what memory: `python tests/bench/reprice.py [calls]`. Printed, not gating."""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rollup import SPANS

from tokentrace_collector.prices.book import Book, parse
from tokentrace_collector.rollup.orders import Repricing
from tokentrace_collector.rollup.recompute import Rollup
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store

CALLS_IN_TEN = 5
"""Calls among ten spans of `SPANS`."""
BOOK = 'version: 1\nrates: [{provider: openai, model: "gpt-6*", prices: {input_text: 9, output_text: 40}}]\n'


def peak() -> float:
    """The most memory that this process has held since the peak was last forgotten, in GB (Linux)."""
    (held,) = (
        line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")
    )
    return int(held) / 1e6


def forget_peak() -> None:
    """Begin to look for the peak anew."""
    Path("/proc/self/clear_refs").write_text("5")


def measured(name: str, work: Callable[[], object]) -> None:
    """Print what a piece of work took by the clock and by the processor, and its peak of memory."""
    forget_peak()
    clock, processor = time.perf_counter(), time.process_time()
    work()
    seconds, busy = time.perf_counter() - clock, time.process_time() - processor
    print(f"  {name:<22}{seconds:>9.1f} s{busy:>9.1f} s CPU   peak {peak():.2f} GB", flush=True)


def main(calls: int) -> None:
    """Print what arrival, rollup, and a trial of other prices take."""
    with tempfile.TemporaryDirectory() as directory:
        store = Store.open(f"chdb://{directory}")
        schema.apply(store)
        spans = calls * 10 // CALLS_IN_TEN
        print(f"{calls:,} calls among {spans:,} spans:")
        measured("arrive", lambda: store.run(SPANS.format(table="otel_traces", spans=spans)))
        rollup = Rollup(store, Book())
        measured("rolled up", rollup.rebuild)
        measured("reprice, not adopted", lambda: show(rollup, Repricing(parse(BOOK))))
        measured("reprice --adopt", lambda: show(rollup, Repricing(parse(BOOK), adopt=True)))
        store.close()


def show(rollup: Rollup, wanted: Repricing) -> None:
    """Reprice, and print the change in all."""
    done = rollup.reprice(wanted)
    (whole,) = (each for each in done.repriced or [] if each["by"] == "all")
    print(f"  {done.traces:,} requests: {whole['before']} → {whole['after']} {whole['currency']}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
