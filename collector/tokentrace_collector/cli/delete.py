"""`tokentrace delete`: nothing is kept of a trace, a user or a tenant any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.upkeep import Deleted
    from tokentrace_collector.rollup.deletion import Kind


@click.command("delete")
@click.option("--trace", metavar="ID", help="A request, by its whole id.")
@click.option("--user", metavar="ID", help="Every request in which this end user is named.")
@click.option("--tenant", metavar="NAME", help="Everything of a tenant.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say how many rows of which tables.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask.")
@options.as_json
@options.store
@options.url
@options.book
def command(
    *,
    trace: str | None,
    user: str | None,
    tenant: str | None,
    is_dry: bool,
    is_sure: bool,
    as_json: bool,
    store: str,
    url: str | None,
    book: str | None,
) -> None:
    """Delete what is kept of a trace, a user or a tenant, from the journal, the dead letters and every table.

    Sums are recomputed without it. May be repeated, as after a crash. What a sender sends anew later is new.
    """
    from tokentrace_collector.cli import faults, source, terminal  # noqa: PLC0415

    kind, named = _chosen(trace, user, tenant)
    with faults.told(), source.opened(store, url, book) as books:
        if not (is_dry or is_sure):
            _tell(books.delete(kind, named, is_dry=True), "would be")
            click.confirm(f"Delete {kind} {terminal.plain(named)!r} for good?", abort=True, err=True)
        deleted = books.delete(kind, named, is_dry=is_dry)
    if as_json:
        terminal.write_json(deleted)
    else:
        _tell(deleted, "would be" if is_dry else "were")


def _chosen(trace: str | None, user: str | None, tenant: str | None) -> tuple[Kind, str]:
    given: dict[Kind, str | None] = {"trace": trace, "user": user, "tenant": tenant}
    found: list[tuple[Kind, str]] = [(kind, named) for kind, named in given.items() if named]
    if len(found) != 1:
        raise click.UsageError("Say what to delete: one of --trace, --user and --tenant.")
    kind, named = found[0]
    return kind, named.lower() if kind == "trace" else named


def _tell(deleted: Deleted, mood: str) -> None:
    from tokentrace_collector.cli import amounts, terminal  # noqa: PLC0415

    rows = deleted["rows"]
    terminal.say("\n".join(f"{amounts.count(count):>12}  {table}" for table, count in rows.items()))
    terminal.say(f"{amounts.count(sum(rows.values()))} rows {mood} deleted.")
