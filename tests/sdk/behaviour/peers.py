"""What another instrumentation records of the scenarios, alone, beside what the provider has told and what we record.

    python -m behaviour.peers NAME        (from tests/sdk, in an environment that has it)

It prints a table and judges nothing. A cell is tokens in spans that carry any, in how many spans; ours is what bears cost.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace
from behaviour.door import Door
from behaviour.doors.all import DOORS
from behaviour.play import Scenario, play
from behaviour.rivals.known import KNOWN
from behaviour.scenarios.all import SCENARIOS
from behaviour.verdict import bearing, billed

KEYS = (
    ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"),
    ("gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
    ("llm.token_count.prompt", "llm.token_count.completion"),
)
"""Input and output, as they are called."""
LANGFUSE = "langfuse.observation.usage_details"
"""The same as JSON, under the names of the provider."""
LEFT_OUT = ("Ctrl-C in flight", "Ctrl-C in mid-stream", "uninstrumented in mid-stream")


def table(name: str) -> Iterator[str]:
    """The rows, as they are found."""
    (peer,) = (rival for rival in KNOWN if rival.name == name)
    provider, theirs = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(theirs))
    trace.set_tracer_provider(provider)
    cases = [(door, scenario) for door in DOORS for scenario in SCENARIOS if _is_of(peer.doors, door, scenario)]
    ours = {(door.name, scenario.name): _ours(door, scenario) for door, scenario in cases}
    peer.on(provider)
    yield f"| client | scenario | provider told | {name} | tokentrace |"
    yield "| --- | --- | --: | --: | --: |"
    for door, scenario in cases:
        theirs.clear()
        outcome = _play(door, scenario)
        truth, counts = billed(scenario.records(door)), [sum(each) for each in _told(theirs.get_finished_spans())]
        mark = "" if sum(counts) == truth else " ✗"
        told = f"{sum(counts)} in {len(counts)}{mark}" if outcome is None else outcome
        yield f"| {door.name} | {scenario.name} | {truth} | {told} | {ours[door.name, scenario.name]} |"


def _is_of(doors: Iterable[str], door: Door, scenario: Scenario) -> bool:
    return door.name in doors and door.is_installed and scenario.is_of(door) and scenario.name not in LEFT_OUT


def _mode(door: Door, scenario: Scenario) -> str:
    return next(mode for mode in scenario.modes if mode in door.modes)


def _play(door: Door, scenario: Scenario) -> str | None:
    """Play it; what became of it where it could not be played."""
    try:
        play(door, scenario, _mode(door, scenario))
    except BaseException as error:  # noqa: BLE001  (some break the application)
        return f"{type(error).__name__} ✗"
    gc.collect()
    return None


def _ours(door: Door, scenario: Scenario) -> str:
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter)
    try:
        _play(door, scenario)
        tokentrace.flush(10)
        spans = [span for span in exporter.get_finished_spans() if _scope(span) == "tokentrace"]
    finally:
        tokentrace.uninstrument()
    return f"{billed(bearing(spans))} in {len(bearing(spans))}"


def _scope(span: ReadableSpan) -> str:
    return span.instrumentation_scope.name if span.instrumentation_scope else ""


def _told(spans: Iterable[ReadableSpan]) -> Iterator[list[int]]:
    """Input and output of every span that has any."""
    for span in spans:
        told: Mapping[str, Any] = span.attributes or {}
        if LANGFUSE in told:
            told = {f"gen_ai.usage.{key}": count for key, count in json.loads(told[LANGFUSE]).items()}
        for keys in KEYS:
            counts = [told[key] for key in keys if isinstance(told.get(key), int)]
            if counts and _scope(span) != "tokentrace":
                yield counts
                break


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    for row in table(sys.argv[1]):
        print(row, flush=True)  # noqa: T201
