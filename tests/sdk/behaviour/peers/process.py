"""Plays cases in a child process, one after the other: some instrumentations break the application, or make it hang."""

from __future__ import annotations

import functools
import gc
import json
import os
import select
import signal
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from behaviour.door import Door
from behaviour.peers.known import SETTLE
from behaviour.peers.meaning import BY_CONVENTION, MEANINGS
from behaviour.play import Scenario, play
from behaviour.rivals.rival import Rival

PATIENCE, TO_BEGIN, TO_END = 20.0, 120.0, 900
"""Seconds after which an application hangs, after which an instrumentation that is switched on does, and after which all ends."""
NATIVE = ("com.anthropic",)
"""Scopes of clients that trace themselves."""


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario, through a door, in a mode."""

    door: Door
    scenario: Scenario
    mode: str


Found = Mapping[str, Any]
"""What a case has come to: what the application saw, what the provider was asked, what was recorded."""


def run(peer: Rival | None, cases: Sequence[Case]) -> Iterator[Found | None]:
    """What each case comes to, nothing where it hangs; without an instrumentation if there is no peer."""
    left = list(cases)
    while left:
        for found in _child(peer, left):
            left.pop(0)
            yield found
        if left:
            left.pop(0)
            yield None


def _child(peer: Rival | None, cases: Sequence[Case]) -> Iterator[Found]:
    """What comes of the cases, until one hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        # Whoever waits for it may be gone before it.
        signal.alarm(TO_END)
        with suppress(BaseException), os.fdopen(writing, "wb") as pipe:
            try:
                _work(peer, cases, pipe)
            except BaseException:  # noqa: BLE001  (who reads of it knows what to make of it)
                traceback.print_exc()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        lines = _lines(pipe)
        if next(lines, None) is None:
            raise ChildProcessError(f"{peer.name if peer else 'The application'} cannot begin.")
        yield from map(json.loads, lines)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _lines(pipe: Any) -> Iterator[bytes]:
    held, patience = b"", TO_BEGIN
    while select.select([pipe], [], [], patience)[0]:
        patience = PATIENCE
        got = pipe.read(1 << 16)
        if not got:
            return
        *lines, held = (held + got).split(b"\n")
        yield from lines


def _work(peer: Rival | None, cases: Sequence[Case], pipe: BinaryIO) -> None:
    provider, theirs = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)
    off = peer.on(provider) if peer else lambda: None
    settle = SETTLE.get(peer.name, lambda: None) if peer else lambda: None
    # Or the garbage collector looks at all that was imported, time and again.
    gc.freeze()
    pipe.write(b"begun\n")
    pipe.flush()
    for case in cases:
        theirs.clear()
        taken = play(case.door, case.scenario, case.mode, meanwhile={"uninstrument": off})
        gc.collect()
        settle()
        told = _told(peer, case, theirs.get_finished_spans()) if peer else {}
        pipe.write(json.dumps([taken.application, taken.provider, told], default=repr).encode() + b"\n")
        pipe.flush()


def _told(peer: Rival, case: Case, spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    usages = functools.partial(MEANINGS.get(peer.name, BY_CONVENTION).usages, case.door.name)
    theirs = [span for span in spans if _is_theirs(peer, span)]
    beside = [span for span in spans if _scope(span).startswith(NATIVE)]
    return {"spans": len(theirs), "usages": usages(theirs), "beside": len(BY_CONVENTION.usages("", beside))}


def _is_theirs(peer: Rival, span: ReadableSpan) -> bool:
    return _scope(span) != "application" and not _scope(span).startswith(NATIVE)


def _scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""
