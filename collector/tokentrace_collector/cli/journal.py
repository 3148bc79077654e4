"""`tokentrace journal`: what waits for the database, and what could not be stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.journal.deadletters import DeadLetters


@click.group("journal")
def command() -> None:
    """Look at what waits for the database, and at what could not be stored.

    `ls` and `inspect` may be asked while a collector runs; `dead-letter` and `replay` want it stopped.
    """


@command.command("ls")
@click.option("--dead-letters", "dead", is_flag=True, help="What could not be stored, instead of what waits.")
@options.as_json_lines
@options.store
def entries(*, dead: bool, as_json: bool, store: str) -> None:
    """List what waits, the oldest first: number, when it came, tenant, spans, bytes."""
    from tokentrace_collector.cli import terminal  # noqa: PLC0415

    rows = _letters(store) if dead else _entries(store)
    if as_json:
        terminal.write_json_lines(rows)
        return
    count = 0
    for row in rows:
        count += 1
        click.echo("  ".join(terminal.plain(str(value)) for value in row.values()))
    if not count:
        terminal.say("There are no dead letters." if dead else "Nothing waits.")


@command.command("inspect")
@click.argument("which")
@options.store
def inspect(*, which: str, store: str) -> None:
    """Print an entry by its number, or a dead letter by its id, as OTLP in JSON."""
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415
    from tokentrace_collector.journal import deadletters, upkeep  # noqa: PLC0415
    from tokentrace_collector.otlp import to_json  # noqa: PLC0415

    with faults.told():
        if which.isdecimal() and len(which) < deadletters.ID_DIGITS:
            content = upkeep.one(_directory(store), int(which)).plain
        else:
            content = _letter(store, which)
    terminal.write_json(to_json.document(content))


@command.command("dead-letter")
@click.argument("number", type=click.IntRange(1))
@click.option("--reason", default="Set aside by hand.", show_default=True)
@options.store
def set_aside(*, number: int, reason: str, store: str) -> None:
    """Take an entry out of the journal, and keep it as a dead letter."""
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415
    from tokentrace_collector.journal import upkeep  # noqa: PLC0415

    with faults.told():
        upkeep.set_aside(_directory(store), number, _dead(store), reason)
    terminal.say(f"Entry {number} is a dead letter now.")


@command.command("replay")
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All dead letters.")
@options.store
@click.pass_context
def replay(context: click.Context, *, ids: tuple[str, ...], everything: bool, store: str) -> None:
    """Put dead letters back into the journal, for the next collector to store; exit status 1 where one stays.

    For what a newer release can store, or a database that has been mended.
    """
    from tokentrace_collector.cli import faults, terminal  # noqa: PLC0415
    from tokentrace_collector.journal import upkeep  # noqa: PLC0415

    if bool(ids) == everything:
        raise click.UsageError("Name dead letters by their ids, or say --all.")
    stayed = unknown = 0
    with faults.told():
        letters = _dead(store)
        known = {each.id for each in letters.read()}
        for missing in sorted(set(ids) - known):
            unknown += 1
            terminal.say(f"There is no dead letter {terminal.plain(missing)!r}. `tokentrace journal ls --dead-letters`")
        for done in upkeep.replay(_directory(store), letters, set(ids) & known if ids else known):
            stayed += bool(done.refused)
            click.echo(f"{done.letter.id}  {terminal.plain(done.refused) or 'waits'}")
    if stayed or unknown:
        context.exit(1)


def _directory(store: str) -> Path:
    from tokentrace_collector.cli import faults  # noqa: PLC0415
    from tokentrace_collector.store import dsn  # noqa: PLC0415

    with faults.told():
        return dsn.parse(store).directory


def _dead(store: str) -> DeadLetters:
    from tokentrace_collector.journal.deadletters import DEAD_LETTERS, DeadLetters  # noqa: PLC0415

    return DeadLetters(_directory(store) / DEAD_LETTERS)


def _entries(store: str) -> Iterable[dict[str, Any]]:
    from tokentrace_collector.journal import upkeep  # noqa: PLC0415

    for found in upkeep.waiting(_directory(store)):
        entry = found.entry
        came = datetime.fromtimestamp(entry.received / 1e9, UTC).isoformat(timespec="seconds")
        yield {
            "number": found.number,
            "received": came,
            "tenant": entry.tenant,
            "spans": entry.spans,
            "bytes": len(entry.body),
            "state": "under way" if found.is_under_way else "waits",
        }


def _letters(store: str) -> Iterable[dict[str, Any]]:
    for letter in _dead(store).read():
        yield {"id": letter.id, "at": letter.at, "tenant": letter.tenant, "reason": letter.reason}


def _letter(store: str, which: str) -> bytes:
    from tokentrace_collector.cli.terminal import Trouble  # noqa: PLC0415

    for letter in _dead(store).read():
        if letter.id == which:
            return letter.content
    raise Trouble(f"There is no dead letter {which!r}. `tokentrace journal ls --dead-letters` lists them.")
