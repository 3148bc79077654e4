"""The checks of `tokentrace doctor`: each looks at one thing and says what it found, and what helps."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts, application, remote, source, terminal
from tokentrace_collector.prices import book
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.store import dsn

State = Literal["ok", "note", "failed"]

_PORTS = {4317: "OTLP/gRPC", 4318: "OTLP/HTTP", 4319: "queries"}
_LATEST = 200
_ROOM = 1 << 30
_STYLES: dict[State, tuple[str, str]] = {"ok": ("ok", "green"), "note": ("note", "yellow"), "failed": ("FAILED", "red")}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    state: State
    found: str

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def findings(store: str, url: str | None, price_book: str | None, python: str) -> list[Finding]:
    """All checks, in the order in which one rests on the other."""
    found = [Finding(check, state, told) for state, check, told in application.findings(python)]
    if price_book:
        found.append(_book(price_book))
    try:
        address = dsn.parse(store)
    except dsn.DsnError as error:
        return [*found, Finding("store", "failed", str(error))]
    running = url or source.collector_of(address.directory)
    # A collector that was named may keep its books on another machine.
    beside = [] if url else [_store(address), *_room(address)]
    return [*found, *beside, _collector(running), *_canary(running), *_ports(running), _figures(store, running)]


def healthy(found: Sequence[Finding]) -> bool:
    """Whether no check failed."""
    return all(each.state != "failed" for each in found)


def draw(found: Sequence[Finding]) -> None:
    """Print the findings."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for each in found:
        word, style = _STYLES[each.state]
        table.add_row(Text(word, style=style), Text(each.check), Text(terminal.plain(each.found)))
    terminal.console().print(table)


def _book(path: str) -> Finding:
    try:
        read = book.read(path)
    except book.BookError as error:
        return Finding("price book", "failed", str(error))
    return Finding("price book", "ok", f"{path}: {len(read.rates)} rates, {len(read.pools)} pools")


def _store(address: dsn.Dsn) -> Finding:
    if address.embedded and not address.engine_path.is_dir():
        return Finding("store", "note", f"There is none at {address.directory} yet; `tokentrace collector` makes it.")
    return Finding("store", "ok", str(address))


def _room(address: dsn.Dsn) -> Iterator[Finding]:
    place = next((each for each in (address.directory, *address.directory.parents) if each.is_dir()), Path.cwd())
    free = shutil.disk_usage(place).free
    told = f"{free / _ROOM:.1f} GiB free at {place}"
    if free < _ROOM:
        yield Finding("disk", "failed", f"{told}. Spans that cannot be kept are refused; make room.")
        return
    yield Finding("disk", "ok", told)


def _collector(running: str | None) -> Finding:
    if running is None:
        return Finding("collector", "note", "None is running on this store. Start one with `tokentrace collector`.")
    return Finding("collector", "ok", f"answers at {running}")


def _canary(running: str | None) -> Iterator[Finding]:
    """What has become of the collector's canaries, where it sends any."""
    told = remote.Remote(running).health().get("canary") if running else None
    if told is None:
        return
    age, trouble = told["last_success_age_seconds"], told["trouble"]
    if trouble:
        yield Finding("canary", "failed", f"{trouble} None has come out for {age:.0f} s.")
    elif told["successes_total"]:
        yield Finding("canary", "ok", f"came out of the books {age:.0f} s ago, after {told['latency_seconds']:.1f} s")
    else:
        yield Finding("canary", "note", "The first one is under way.")


def _ports(running: str | None) -> Iterator[Finding]:
    if running is not None:
        return
    for port, use in _PORTS.items():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                advice = "Stop it, or give the collector another port."
                yield Finding("port", "failed", f"{port} ({use}) is held by another process. {advice}")
            else:
                yield Finding("port", "ok", f"{port} ({use}) is free")


def _figures(store: str, running: str | None) -> Finding:
    """Whether the latest requests are priced in full."""
    try:
        with source.opened(store, running) as books:
            latest = books.requests(Filter(limit=_LATEST))
    except terminal.Trouble as trouble:
        return Finding(
            "figures", "failed" if running or dsn.parse(store).engine_path.is_dir() else "note", trouble.message
        )
    if not latest:
        return Finding("figures", "note", "No request is in the books yet.")
    gaps = sum(each["coverage"] < 1 for each in latest)
    told = f"of the latest {amounts.count(len(latest))} requests, {amounts.count(gaps)} are not covered in full"
    worst = min(latest, key=lambda each: each["coverage"])
    if gaps:
        told += f"; the worst is {worst['trace_id'][:12]} with {amounts.coverage(worst['coverage'])}"
    return Finding("figures", "note" if gaps else "ok", told + ".")
