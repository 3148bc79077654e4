"""A table of as many columns as a screen has room for: a figure that is cut off is worse than none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

_GAP = 2


def table(screen: Console, rows: Sequence[Mapping[str, str]], *, names: Collection[str], spare: Sequence[str]) -> Table:
    """The cells of rows by the titles of their columns, those of `names` to the left.

    Columns in which nothing stands are left out, and where there is no room, those of `spare`, one after the other.
    """
    shown = [title for title in rows[0] if any(row[title] for row in rows)]
    for title in spare:
        if _width(rows, shown) <= screen.width:
            break
        shown = [each for each in shown if each != title]
    drawn = Table(box=None, padding=(0, 0, 0, _GAP), pad_edge=False, header_style="dim")
    for title in shown:
        drawn.add_column(title, justify="left" if title in names else "right", no_wrap=True)
    for row in rows:
        drawn.add_row(*(row[title] for title in shown))
    return drawn


def _width(rows: Sequence[Mapping[str, str]], titles: Sequence[str]) -> int:
    return sum(max(cell_len(title), *(cell_len(row[title]) for row in rows)) + _GAP for title in titles) - _GAP
