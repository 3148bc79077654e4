"""`tokentrace run`: a profiler for tokens; what an unchanged program costs, by its tree of calls."""

from __future__ import annotations

import shlex
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from io import TextIOWrapper

    from tokentrace_collector.cli.source import Source
    from tokentrace_collector.config import Config
    from tokentrace_collector.reports.documents.requests import RequestReport

_MOST = 10_000
"""Requests that one run may have to be told of."""
_DIVIDED = 200
"""The dearest of them, whose spans are read; the others are told as one span each."""
_PAUSE = 30.0


class Profile(NamedTuple):
    """What the program cost in one currency."""

    report: RequestReport
    requests: int
    undivided: int
    """Those of them whose spans were not read."""


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@options.as_json
@click.option("--output", type=click.File("w", "utf-8", lazy=True), metavar="FILE", help="Write there; - is stdout.")
@click.option("--store", metavar="DSN", help="Where to keep the books; a temporary directory by default.")
@options.book
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def command(
    *, as_json: bool, output: TextIOWrapper | None, store: str | None, book: str | None, command: tuple[str, ...]
) -> None:
    """Run a program, and tell what its calls to models cost.

    \b
      tokentrace run -- python app.py --its-option
      tokentrace run --json --output cost.json -- uvicorn app:web

    Every Python of the program that can import tokentrace meters itself; the program is not changed, and keeps its
    input, its output and its exit status. The report is written to stderr after its end, or to FILE.
    """
    import tempfile  # noqa: PLC0415
    import uuid  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from tokentrace_collector.cli import faults, program, terminal  # noqa: PLC0415
    from tokentrace_collector.cli.own import OwnCollector  # noqa: PLC0415

    name = uuid.uuid4().hex[:12]
    # The embedded engine leaves it for a moment while it is being imported.
    directory = Path.cwd()
    program.find(command[0])
    with (
        faults.told(),
        tempfile.TemporaryDirectory(prefix="tokentrace-run-") as notes,
        OwnCollector(store, _config(book)) as collector,
    ):
        env = program.environment(collector.addresses.otlp_http, name, Path(notes))
        began, clock = datetime.now(UTC), time.monotonic()
        status = program.run(command, env, directory)
        seconds = time.monotonic() - clock
        profiles = _profiles(collector.settled(), name, shlex.join(command), began, seconds)
        for sentence in program.explanations(program.noted(Path(notes)), has_calls=bool(profiles)):
            terminal.say(f"tokentrace: {sentence}")
        _tell(profiles, command, status, seconds, as_json=as_json, output=output)
    program.end_like(status)


def _config(book: str | None) -> Config:
    from pathlib import Path  # noqa: PLC0415

    from tokentrace_collector.config import Config  # noqa: PLC0415

    return Config(http_port=0, grpc_port=0, api_port=0, book=Path(book) if book else None, rollup_seconds=_PAUSE)


def _profiles(books: Source, run: str, root: str, began: datetime, seconds: float) -> list[Profile]:
    """What the program cost, once for each currency."""
    from tokentrace_collector.cli import folding  # noqa: PLC0415
    from tokentrace_collector.reports.answers import Filter  # noqa: PLC0415

    found = books.requests(Filter(since=began, by_cost=True, limit=_MOST))
    ours = [each for each in found if each["attribution"].pop("run", None) == run]
    reports: dict[str, list[RequestReport]] = {}
    for place, request in enumerate(ours):
        divided = books.request(request["trace_id"]) if place < _DIVIDED else None
        told: RequestReport = divided or folding.undivided(request)
        reports.setdefault(request["currency"], []).append({**told, "attribution": request["attribution"]})
    return [
        Profile(folding.fold(each, root, began, seconds), len(each), sum(not one["trace_id"] for one in each))
        for _, each in sorted(reports.items())
    ]


def _tell(
    profiles: list[Profile],
    command: tuple[str, ...],
    status: int,
    seconds: float,
    *,
    as_json: bool,
    output: TextIOWrapper | None,
) -> None:
    import json  # noqa: PLC0415

    from tokentrace_collector.cli import drawing, terminal  # noqa: PLC0415

    if as_json:
        document = {
            "command": command,
            "status": status,
            "seconds": seconds,
            "profiles": [{"requests": each.requests, **each.report} for each in profiles],
        }
        click.echo(json.dumps(document), file=output, err=output is None)
        return
    screen = terminal.console(stderr=True) if output is None else terminal.written(output)
    for each in profiles:
        screen.print()
        drawing.program(screen, each.report, requests=each.requests, undivided=each.undivided)
