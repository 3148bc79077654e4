"""`tokentrace traces`: requests and what they cost."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.documents.requests import Request

_WIDE = 100
_SHARES = {"visible": "visible", "hidden_reasoning": "hidden", "errors": "errors", "human_review": "people"}
"""Components whose share of the total is worth a column, where there is room; the first always is."""


@click.command("traces")
@click.option("--team", default="")
@click.option("--feature", default="")
@click.option("--customer", default="")
@click.option("--project", default="")
@click.option("--cost-center", default="")
@click.option("--environment", default="")
@click.option("--user", default="")
@click.option("--session", default="")
@click.option("--service", default="")
@click.option("--model", default="", help="Requests that called this model.")
@click.option("--since", type=options.Moment(), help="2h, 7d, or a date or time (UTC).")
@click.option("--until", type=options.Moment())
@click.option("--min-cost", type=options.Amount(), help="Requests that cost at least this much.")
@click.option("--errors", is_flag=True, help="Requests that lost money or attempts to failures.")
@click.option("--by-cost", is_flag=True, help="The dearest first, instead of the latest.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@options.as_json_lines
@options.store
@options.url
def command(
    *, as_json: bool, store: str, url: str | None, **wanted: str | bool | int | datetime | Decimal | None
) -> None:
    """List requests and what they cost."""
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.answers import Filter  # noqa: PLC0415

    with source.opened(store, url) as books:
        found = books.requests(Filter(**wanted))  # type: ignore[arg-type]  # click has checked each
    if as_json:
        terminal.write_json_lines(found)
        return
    if not found:
        terminal.say("No request matches. Is the application instrumented, and has a rollup run?")
        return
    _draw(found)


def _draw(found: list[Request]) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    from tokentrace_collector.cli import amounts, terminal  # noqa: PLC0415

    screen = terminal.console()
    signs = terminal.glyphs(screen)
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("trace", no_wrap=True)
    table.add_column("started (UTC)", no_wrap=True)
    table.add_column("request", ratio=1, no_wrap=True, overflow="ellipsis")
    shown = [name for name in _SHARES if screen.width >= _WIDE or name == "visible"]
    sampled = ["stands for"] if any(each["sampled"] for each in found) else []
    for name in ("calls", *sampled, "tokens", *(_SHARES[name] for name in shown), "total"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in found:
        total, currency = Decimal(each["total"]), each["currency"]
        parts = {name: Decimal(amount) for name, amount in each["components"].items()}
        bound = f"{signs.at_least} " if each["coverage"] < 1 else ""
        table.add_row(
            Text(terminal.plain(each["trace_id"])[:12]),
            Text(each["started_at"][5:16].replace("T", " "), style="dim"),
            Text(terminal.plain(each["root"])),
            amounts.count(each["calls"]),
            *([amounts.weights(each["sampled"])] if sampled else []),
            amounts.count(sum(each["tokens"].values())),
            *(amounts.share(parts.get(name, Decimal(0)), total) for name in shown),
            Text(bound + amounts.money(total, currency, amounts.places(total)), style="bold"),
        )
    screen.print(table)
