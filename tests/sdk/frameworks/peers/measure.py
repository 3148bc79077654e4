"""Plays the runs of a framework under an instrumentation, and says what its spans tell of each beside what is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from behaviour.peers.known import SETTLE
from behaviour.peers.meaning import BY_CONVENTION, MEANINGS
from behaviour.peers.releases import release
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from frameworks.peers.known import OURS, Framework, Part, Peer
from frameworks.peers.told import Told, told
from frameworks.runs.run import Run
from frameworks.script import playing

MANY = 100
"""More requests than a run asks."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the parts of an instrumentation that are on tell of each run of a framework, and with which releases."""

    framework: str
    peer: str
    parts: int
    """How many of them are on."""

    unusable: list[str]
    """Modules that cannot be switched on with these releases."""

    releases: dict[str, str]
    runs: dict[str, Told]


def measure(framework: Framework, peer: Peer) -> Iterator[Measured]:
    """What is told with its first part, then with the next beside it, in this process."""
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    begun, packages, unusable = 0, releases(framework, peer), []
    for number, part in enumerate(peer.parts, 1):
        if not _begins(part, provider):
            unusable.append(part.module)
        found = {}
        for run in framework.runs():
            begun += MANY
            found[run.name] = _told(peer, run, begun, exporter)
        yield Measured(framework.name, peer.name, number, list(unusable), packages, found)


def releases(framework: Framework, peer: Peer) -> dict[str, str]:
    """The framework, its client, and what instruments them."""
    modules = [framework.module, framework.client, *(part.module for part in peer.parts)]
    return dict(release(module) for module in modules if module != OURS.module)


def _begins(part: Part, provider: TracerProvider) -> bool:
    try:
        part.on(provider)
    except Exception:  # noqa: BLE001  (it is known by that)
        return False
    return True


def _told(peer: Peer, run: Run, begun: int, exporter: InMemorySpanExporter) -> Told:
    exporter.clear()
    with playing(*run.turns, begun=begun) as (script, url):
        said = _said(run, url)
    SETTLE.get(peer.name, lambda: None)()
    spans = [span for span in exporter.get_finished_spans() if peer.name != OURS.name or _is_ours(span)]
    usages = MEANINGS.get(peer.name, BY_CONVENTION).usages("", spans)
    return {"answers": (int(said == run.said), 1), **told(run, script.billed, usages, spans)}


def _is_ours(span: ReadableSpan) -> bool:
    return span.instrumentation_scope is not None and span.instrumentation_scope.name == OURS.name


def _said(run: Run, url: str) -> object:
    try:
        return run.play(url)
    except Exception as error:  # noqa: BLE001  (whatever an instrumentation makes of it is no answer)
        return error
