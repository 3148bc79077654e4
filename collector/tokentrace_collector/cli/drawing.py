"""One request on the screen: who asked, the tree of its spans, and the waterfall of its cost."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from tokentrace_collector.cli import amounts, tree, waterfall
from tokentrace_collector.cli.terminal import plain
from tokentrace_collector.reports.documents.requests import RequestReport


def request(screen: Console, report: RequestReport) -> None:
    """Print the whole picture of one request."""
    _head(screen, report, f"trace {plain(report['trace_id'])}")
    screen.print()
    tree.draw(screen, report)
    screen.print()
    waterfall.draw(screen, report)


def program(screen: Console, report: RequestReport, *, requests: int, undivided: int) -> None:
    """Print the whole picture of one run of a program, whose requests are folded into one report."""
    _head(screen, report, _several(requests, "request"))
    screen.print()
    tree.draw(screen, report, timed=True)
    screen.print()
    waterfall.draw(screen, report)
    if undivided:
        told = f"The {amounts.count(undivided)} cheapest requests are added up in the lines of their first spans."
        screen.print(Text(told, style="dim"))


def _several(number: int, what: str) -> str:
    return f"{amounts.count(number)} {what}{'s' * (number != 1)}"


def _head(screen: Console, report: RequestReport, what: str) -> None:
    title = Text(plain(report["root"]), style="bold", no_wrap=True, overflow="ellipsis")
    if report["service"]:
        title.append(f"  {plain(report['service'])}", style="not bold")
    title.append(f"  {report['started_at'][:19].replace('T', ' ')} UTC", style="not bold dim")
    counts = [_several(report["calls"], "call"), _several(report["attempts"], "attempt")]
    if report["failed_attempts"]:
        counts.append(f"{amounts.count(report['failed_attempts'])} failed")
    counts.append(amounts.duration(report["seconds"]))
    screen.print(title)
    screen.print(Text(f"{what}  {', '.join(counts)}", style="dim"))
    if report["attribution"]:
        told = (f"{plain(name)} {plain(value)}" for name, value in report["attribution"].items())
        screen.print(Text("  ".join(told), style="dim", overflow="ellipsis", no_wrap=True))
