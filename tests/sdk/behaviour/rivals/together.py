"""Runs scenarios with another instrumentation in the same process, and says what is not as it has to be.

python -m behaviour.rivals.together NAME first|last
"""

from __future__ import annotations

import functools
import gc
import json
import logging
import re
import ssl
import sys
import warnings
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shapes.shape import SYNC, Taken

import tokentrace
from behaviour.door import Settings
from behaviour.doors.all import DOORS
from behaviour.play import play
from behaviour.rivals.known import KNOWN
from behaviour.rivals.rival import Rival
from behaviour.scenarios.all import SCENARIOS
from behaviour.verdict import reported, unordered

NAMES = (
    "complete",
    "streamed",
    "`break`, then collected",
    "429, 429, 200, with `Retry-After`",
    "a stream asked for inside of another",
    "created, retrieved twice",
    "task cancelled in mid-stream",
)
_NATIVE = ("com.anthropic",)
"""Scopes of clients that trace themselves, which we keep from doing so."""
_CHANGING = re.compile(r"[0-9a-f]{16,}|0x[0-9a-f]+|\d+\.\d+|:\d{4,5}\b|\b\d{10,}\b|20\d\d-\d\d-\d\dT[^\"]*")
_TIMES = ("time", "duration", "latency", "server.port", "ttft", "tbt")
_AROUND = ("code.", "logfire.metrics")
"""What Logfire tells of what runs around and in its span: the frame that called, and our metrics, which it is given."""

Run = dict[str, tuple[Taken, list[Any], list[ReadableSpan]]]


class Together:
    """An application with a provider of its own, another instrumentation, and ours."""

    def __init__(self, rival: Rival) -> None:
        self.rival = rival
        self.theirs, self.ours = InMemorySpanExporter(), InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.theirs))
        trace.set_tracer_provider(provider)
        self.provider = provider
        self.cases = [
            (f"{door.name}, {scenario.name}, {mode}", door, scenario, mode)
            for door in DOORS
            if rival.is_of(door)
            for scenario in SCENARIOS
            if scenario.name in NAMES and scenario.is_of(door)
            for mode in scenario.modes[-1:]
            if mode in door.modes
        ]
        self.wrong: list[str] = []

    def begin(self) -> None:
        """Switch ours on; what it delivers through is shut down with it."""
        self.ours = InMemorySpanExporter()
        tokentrace.instrument(exporter=self.ours)

    def run(self) -> Run:
        """Play everything; what the application saw, what they recorded, what we delivered."""
        found: Run = {}
        for case, door, scenario, mode in self.cases:
            self.theirs.clear()
            self.ours.clear()
            taken = play(door, scenario, mode)
            if "break" in scenario.name:
                gc.collect()
            tokentrace.flush(10)
            spans = self.theirs.get_finished_spans()
            theirs = sorted((_plain(span) for span in spans if not _is_ours(span)), key=repr)
            found[case] = taken, [each for each in theirs if each], list(self.ours.get_finished_spans())
        return found

    def expect_ours(self, when: str, run: Run) -> None:
        """Every call of ours is there, once."""
        for case, door, scenario, _ in self.cases:
            told = reported(span for span in run[case][2] if _is_ours(span))
            if not unordered(told, scenario.records(door)):
                self.wrong.append(f"{when}: {case}: we said {told}")

    def expect_none(self, when: str, run: Run) -> None:
        """Nothing of ours is there."""
        self.wrong += [f"{when}: {case}: we said something" for case, (_, _, spans) in run.items() if spans]

    def expect_same(self, alone: Run, both: Run) -> None:
        """The application sees the same, and so do they."""
        for case in alone:
            if alone[case][0] != both[case][0]:
                self.wrong.append(f"the application sees another result: {case}: {both[case][0]} not {alone[case][0]}")
            if alone[case][1] != both[case][1]:
                self.wrong.append(f"they recorded otherwise: {case}: {both[case][1]} not {alone[case][1]}")


def first(both: Together) -> None:
    """They come first and go first."""
    off = both.rival.on(both.provider)
    alone = both.run()
    both.expect_none("with them alone", alone)
    both.begin()
    together = both.run()
    both.expect_ours("with them before us", together)
    both.expect_same(alone, together)
    off()
    if both.rival.puts_back:
        tokentrace.uninstrument()
        both.begin()
    both.expect_ours("when they were gone", both.run())
    tokentrace.uninstrument()
    both.expect_none("when both were gone", both.run())


def last(both: Together) -> None:
    """They come after us, we go, and come again."""
    both.begin()
    both.expect_ours("before they came", both.run())
    off = both.rival.on(both.provider)
    together = both.run()
    both.expect_ours("with them after us", together)
    tokentrace.uninstrument()
    alone = both.run()
    both.expect_none("when we were gone", alone)
    both.expect_same(alone, together)
    both.begin()
    both.expect_ours("when we came again", both.run())
    tokentrace.uninstrument()
    off()
    both.expect_none("when both were gone", both.run())


def _is_ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == "tokentrace"


def _plain(span: ReadableSpan) -> Any:
    """What a span of theirs says at any time."""
    scope = span.instrumentation_scope.name if span.instrumentation_scope else ""
    if scope.startswith((*_NATIVE, "application")):
        return None
    told = {
        key: value
        for key, value in (span.attributes or {}).items()
        if not key.startswith(_AROUND) and not any(part in key for part in _TIMES)
    }
    return [scope, span.name, span.status.status_code.name, _CHANGING.sub("…", repr(sorted(told.items())))]


def main(name: str, order: str) -> None:
    """Print what is wrong, and how many cases there were."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    (rival,) = (rival for rival in KNOWN if rival.name == name)
    ssl.create_default_context = functools.cache(ssl.create_default_context)
    both = Together(rival)
    for door in DOORS:
        if rival.is_of(door):
            door.client(Settings("http://127.0.0.1:9", SYNC))
    gc.freeze()
    {"first": first, "last": last}[order](both)
    print(json.dumps([len(both.cases), both.wrong]))  # noqa: T201  (that is what the test reads)


if __name__ == "__main__":
    main(*sys.argv[1:])
