"""The examination itself: every part looked at by itself, so that one that fails hides no other."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TypeVar

from tokentrace import guard, session as sessions
from tokentrace.config import Config
from tokentrace.delivery.queue import Delivery
from tokentrace.diagnosis import libraries, pipeline, probe, rivals, settings
from tokentrace.diagnosis.report import Problem, Reply, Report, Setting
from tokentrace.session import Session
from tokentrace.version import VERSION

Part = TypeVar("Part")
_LOST = {
    "dropped": ("were dropped before a collector took them", "Check the collector and TOKENTRACE_QUEUE_SIZE."),
    "displaced": ("were removed from the full disk", "Check the collector and TOKENTRACE_SPOOL_SIZE."),
    "unreadable": ("were found damaged on disk", "Check the disk that TOKENTRACE_SPOOL names."),
    "refused": ("were refused by the collector again and again", "Its log says why."),
    "earlier": ("were lost by earlier processes", "Their logs say how; check the collector."),
}
"""By count: what was lost, and what helps."""
_BUG = "Please report it with the text of this report."


class _Examination:
    """What is found on the way."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def of(self, thing: str) -> Generator[None]:
        """Turns an error of ours into a problem."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whoever asks a doctor is in trouble already)
            self.problems.append(Problem(thing, f"It could not be examined: {type(error).__name__}: {error}.", _BUG))

    def part(self, thing: str, found: Callable[[], Part]) -> Part | None:
        """What `found` gives; None where it fails."""
        with self.of(thing):
            return found()
        return None


def examine(timeout: float | None) -> Report:
    """Look at everything; `timeout` None asks no collector."""
    seen = _Examination()
    session = sessions.current()
    config = session.config if session is not None else _config(seen)
    if session is None:
        seen.problems.append(_uninstrumented(config))
    clients = seen.part("clients", libraries.found) or ()
    source = seen.part("tracing", lambda: pipeline.found(session))
    others = seen.part("others", lambda: rivals.found(libraries.wrappers(clients), pipeline.scopes(session)))
    seen.problems += seen.part("clients", lambda: tuple(libraries.problems(clients))) or ()
    if source is not None:
        seen.problems += seen.part("tracing", lambda: tuple(pipeline.problems(source, session))) or ()
    counts = _counts(session.delivery) if session is not None and session.delivery is not None else {}
    seen.problems += _losses(counts)
    settled = seen.part("settings", lambda: _settings(session, config)) or ()
    reply = _reply(seen, session, config, timeout)
    return Report(
        version=VERSION,
        python=platform.python_version(),
        executable=sys.executable,
        is_instrumented=session is not None,
        libraries=clients,
        rivals=others or (),
        pipeline=source,
        settings=settled,
        counts=counts,
        reply=reply,
        problems=tuple(seen.problems),
    )


def _config(seen: _Examination) -> Config | None:
    """What `instrument` would be told, where nobody has called it."""
    try:
        return Config.resolve()
    except ValueError as error:
        seen.problems.append(Problem("settings", str(error), "Until then tokentrace.instrument() raises this error."))
        return None


def _settings(session: Session | None, config: Config | None) -> tuple[Setting, ...]:
    if config is None:
        return ()
    if session is None:
        return tuple(settings.found(config, Config.origins(()), sends_otlp=True))
    return tuple(settings.found(config, session.origins, sends_otlp=session.sends_otlp))


def _uninstrumented(config: Config | None) -> Problem:
    if config is not None and config.disabled:
        source = Config.origins(())["disabled"]
        return Problem("instrumentation", f"It is switched off by {source}.", "Unset it.")
    return Problem(
        "instrumentation", "Nothing is metered in this process.", "Call tokentrace.instrument() at its start."
    )


def _counts(delivery: Delivery) -> dict[str, int]:
    standing = delivery.standing
    return {**asdict(standing.counts), "waiting": standing.in_memory, "on_disk": standing.on_disk}


def _losses(counts: dict[str, int]) -> Iterator[Problem]:
    for reason, told in _LOST.items():
        if lost := counts.get(reason):
            yield Problem("spans", f"{lost:,} {told[0]}.", told[1])
    for doing, times in sorted(guard.failures.items()):
        yield Problem("tokentrace itself", f"It failed {times:,} times while {doing}; the log says how.", _BUG)


def _reply(seen: _Examination, session: Session | None, config: Config | None, timeout: float | None) -> Reply | None:
    if timeout is None or config is None or config.disabled or not (session is None or session.sends_otlp):
        return None
    endpoint = settings.address(config.endpoint)
    told, remedy = probe.ask(config, timeout)
    if remedy:
        seen.problems.append(Problem("endpoint", f"{endpoint} {told}", remedy))
    return Reply(endpoint, told, is_good=not remedy)
