"""What costs most, drawn as a ranking, once or again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from threading import Event

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts, spending, terminal
from tokentrace_collector.reports.documents.spending import Share

_BAR = 24
_WIDE = 90
_ERRORS = "errors"


def errors(found: Sequence[Share], limit: int) -> list[Share]:
    """The groups with errors, each reduced to what these cost, the dearest first."""
    lost = [(Decimal(each["components"][_ERRORS]), each) for each in found]
    lost = sorted(((amount, each) for amount, each in lost if amount), key=lambda one: -one[0])
    return [
        {
            **each,
            "total": each["components"][_ERRORS],
            "components": {**dict.fromkeys(each["components"], "0"), _ERRORS: each["components"][_ERRORS]},
        }
        for _, each in lost[:limit]
    ]


def table(screen: Console, found: Sequence[Share], what: str) -> Table:
    """A line for each group, with its bar and its share of the sum."""
    signs = terminal.glyphs(screen)
    drawn = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    drawn.add_column(what, ratio=1, no_wrap=True, overflow="ellipsis")
    is_wide = screen.width >= _WIDE
    if is_wide:
        drawn.add_column("", width=_BAR, no_wrap=True)
    for name in ("tokens", "cost", "share", "known"):
        drawn.add_column(name, justify="right", no_wrap=True)
    for currency in sorted({each["currency"] for each in found}):
        of = [each for each in found if each["currency"] == currency]
        whole = amounts.total([Decimal(each["total"]) for each in of])
        dearest = max(Decimal(each["total"]) for each in of)
        decimals = amounts.places(whole)
        for each in of:
            total, known = Decimal(each["total"]), spending.known(each)
            cells = int(total / dearest * _BAR) if dearest else 0
            bound = f"{signs.at_least} " if spending.is_bound(each) else ""
            bound += signs.about if Decimal(each["estimated"]) else ""
            drawn.add_row(
                _name(each),
                *([Text(signs.cells[-1] * cells, style="cyan")] if is_wide else []),
                amounts.count(int(Decimal(each["tokens"]))),
                Text(bound + amounts.money(total, currency, decimals), style="bold"),
                amounts.share(total, whole),
                "" if known is None else amounts.coverage(known),
            )
    return drawn


def watch(screen: Console, look: Callable[[], RenderableType], every: float, over: Event | None = None) -> None:
    """Draw what a look gives, again every so many seconds, until interrupted or `over`.

    What cannot be asked is said below the latest picture, and asked again.
    """
    over, latest = over or Event(), Text("")
    picture: RenderableType = latest
    with Live(console=screen, auto_refresh=False, screen=screen.is_terminal) as shown:
        try:
            while True:
                try:
                    picture = look()
                    shown.update(picture, refresh=True)
                except terminal.Trouble as trouble:
                    shown.update(Group(picture, Text(terminal.plain(trouble.message), style="red")), refresh=True)
                if over.wait(every):
                    return
        except KeyboardInterrupt:
            return


def _name(each: Share) -> Text:
    if each["group"] is None:
        return Text(spending.REST, style="dim")
    plain = " ".join(map(terminal.plain, each["group"].values()))
    return Text(plain) if plain else Text(spending.NAMELESS, style="dim")
