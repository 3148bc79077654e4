"""What the doctor found, as values and as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Fit = Literal["fitted", "missing", "replaced", "waiting"]
State = Literal["ok", "note", "failed"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps figures from being right."""

    thing: str
    value: str
    """What was found, in full sentences."""
    remedy: str

    def __str__(self) -> str:
        return f"{self.thing}: {self.value} {self.remedy}"


@dataclass(frozen=True, slots=True)
class Seam:
    """A function of a library that is to be wrapped."""

    name: str
    fit: Fit
    """`missing` where this release does not have it, `replaced` where somebody took our wrapper away since, `waiting`
    where its module has not been imported."""
    cost: str = ""
    """What is lost while it does not fit."""


@dataclass(frozen=True, slots=True)
class Library:
    """A client library that is installed."""

    name: str
    release: str
    tested: tuple[str, ...]
    """The releases that the tests run with, from the oldest to the newest; empty for what clients share."""
    is_newer: bool
    """Whether this release came after all of them."""
    is_older: bool
    seams: tuple[Seam, ...]

    @property
    def fitted(self) -> int:
        """How many functions are wrapped."""
        return sum(seam.fit == "fitted" for seam in self.seams)

    @property
    def lost(self) -> tuple[Seam, ...]:
        """The functions whose calls go unmetered."""
        return tuple(seam for seam in self.seams if seam.fit in {"missing", "replaced"})


@dataclass(frozen=True, slots=True)
class Rival:
    """Somebody else who traces calls to models in this process."""

    name: str
    evidence: tuple[str, ...]
    """What gave it away: modules, wrappers, scopes, callbacks."""
    effect: str


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Where spans begin."""

    provider: str
    """The class of the TracerProvider; `none` where the application has none, so that ours is used."""
    sampler: str | None
    is_lossless: bool
    """Whether what the sampler drops is delivered all the same."""
    limits: Mapping[str, int | None]
    """What the provider allows of attributes, their length, and events; None is without limit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting and where it comes from."""

    name: str
    value: str
    """Without secrets: of headers only the names."""
    source: str
    """`argument`, the name of a variable, or `default`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the collector answered to an empty request."""

    endpoint: str
    answer: str
    is_good: bool


class Finding(NamedTuple):
    """One line of the report."""

    state: State
    check: str
    found: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found in this process; `str()` is the text to read."""

    version: str
    python: str
    executable: str
    is_instrumented: bool
    libraries: tuple[Library, ...] = ()
    rivals: tuple[Rival, ...] = ()
    pipeline: Pipeline | None = None
    settings: tuple[Setting, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """What became of the spans of this process: accepted, delivered, dropped, waiting."""
    reply: Reply | None = None
    """None where nobody asked, or spans do not travel as OTLP of ours."""
    problems: tuple[Problem, ...] = ()
    """Empty where all is well."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The report line by line: what was found, then what is wrong."""
        failed = (Finding("failed", each.thing, f"{each.value} {each.remedy}") for each in self.problems)
        return (*self._found(), *failed)

    def __str__(self) -> str:
        width = max(len(each.check) for each in self.findings)
        return "\n".join(
            f"{'FAILED' if each.state == 'failed' else each.state:6}  {each.check:{width}}  {each.found}"
            for each in self.findings
        )

    def _found(self) -> Iterator[Finding]:
        yield Finding("ok", "installation", f"tokentrace {self.version}, Python {self.python} at {self.executable}")
        for library in self.libraries:
            yield _library(library, is_instrumented=self.is_instrumented)
        for rival in self.rivals:
            yield Finding("note", "also tracing", f"{rival.name} ({', '.join(rival.evidence)}). {rival.effect}")
        if self.pipeline is not None:
            yield Finding("ok", "tracing", _pipeline(self.pipeline))
        for setting in self.settings:
            yield Finding("ok", "setting", f"{setting.name} = {setting.value} ({setting.source})")
        if self.counts:
            told = ", ".join(f"{name} {number:,}" for name, number in self.counts.items())
            yield Finding("ok", "spans", told)
        if self.reply is None and self.is_instrumented:
            yield Finding("note", "endpoint", "It was not asked.")
        elif self.reply is not None and self.reply.is_good:
            yield Finding("ok", "endpoint", f"{self.reply.endpoint} {self.reply.answer}")


def _library(library: Library, *, is_instrumented: bool) -> Finding:
    told = [f"{library.name} {library.release}"]
    total = len(library.seams)
    if not is_instrumented:
        told.append("not metered")
    elif all(seam.fit == "waiting" for seam in library.seams):
        told.append("not imported yet; metered as soon as it is")
    else:
        told.append(f"{library.fitted} of {total} functions wrapped")
        if waiting := sum(seam.fit == "waiting" for seam in library.seams):
            told.append(f"{waiting} not imported yet")
    if library.tested:
        told.append(f"tested with {' to '.join(dict.fromkeys((library.tested[0], library.tested[-1])))}")
    is_fine = is_instrumented and not (library.is_newer or library.is_older or library.lost)
    told += ["newer than all that was tested"] * library.is_newer + [
        "older than all that was tested"
    ] * library.is_older
    return Finding("ok" if is_fine else "note", "client", "; ".join(told))


def _pipeline(pipeline: Pipeline) -> str:
    if pipeline.provider == "none":
        return "The application has no TracerProvider; ours records everything."
    told = [pipeline.provider]
    if pipeline.sampler:
        told.append(f"sampler {pipeline.sampler}")
        if pipeline.is_lossless:
            told.append("what it drops is delivered all the same")
    limits = ", ".join(f"{name} {'unlimited' if most is None else most}" for name, most in pipeline.limits.items())
    return "; ".join([*told, *([f"limits: {limits}"] if limits else [])])
