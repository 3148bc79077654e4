"""Whatever OpenTelemetry an application has, its calls are delivered whole, once."""

from __future__ import annotations

import gc

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace
from behaviour.doors.all import DOORS
from behaviour.play import play
from behaviour.scenarios.all import SCENARIOS
from behaviour.surroundings import NAMES, OWN
from behaviour.verdict import bearing, reported, unordered

CASES = [
    pytest.param(door, scenario, mode, id=f"{door.name}-{scenario.name}-{mode}")
    for door in DOORS
    if door.is_installed
    for scenario in SCENARIOS
    if scenario.name in NAMES
    for mode in door.modes[-1:]
]
every_case = pytest.mark.parametrize(("door", "scenario", "mode"), CASES)
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(params=OWN)
def application(request, monkeypatch):
    """What the application has set up, and what it exports."""
    provider, exporter = OWN[request.param](), InMemorySpanExporter()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def delivered(monkeypatch):
    """What tokentrace delivers."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    exporter = InMemorySpanExporter()
    yield exporter
    tokentrace.uninstrument()


def ours(exporter):
    return [span for span in exporter.get_finished_spans() if span.instrumentation_scope.name == "tokentrace"]


@every_case
def test_a_call_is_delivered_whole(application, delivered, door, scenario, mode):
    bare = play(door, scenario, mode)
    metered = play(door, scenario, mode, lambda: tokentrace.instrument(exporter=delivered))
    gc.collect()
    assert tokentrace.flush(10)

    found = reported(ours(delivered))
    assert metered == bare
    assert unordered(found, scenario.records(door)), found


@every_case
def test_a_call_is_whole_in_the_provider_that_we_were_given(metering, monkeypatch, door, scenario, mode):
    exporter, provider = InMemorySpanExporter(), OWN["small limits"]()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")
    try:
        play(door, scenario, mode, lambda: tokentrace.instrument(tracer_provider=provider))
        gc.collect()
        with provider.get_tracer("application").start_as_current_span("x", attributes={"a": 1, "b": 2, "c": 3, "d": 4}):
            pass
    finally:
        tokentrace.uninstrument()

    found = bearing(ours(exporter))
    assert unordered(found, scenario.records(door)), found
    # What the application has limited stays so.
    assert len(exporter.get_finished_spans()[-1].attributes) == 3


@every_case
def test_nothing_is_recorded_where_opentelemetry_is_switched_off(monkeypatch, delivered, door, scenario, mode):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    bare = play(door, scenario, mode)
    disabled = play(door, scenario, mode, lambda: tokentrace.instrument(exporter=delivered))

    assert (disabled, delivered.get_finished_spans()) == (bare, ())
