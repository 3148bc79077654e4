"""One request on the screen: who asked, the tree of its spans, and the waterfall of its cost."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from tokentrace_collector.cli import amounts, tree, waterfall
from tokentrace_collector.cli.terminal import plain
from tokentrace_collector.documents import RequestReport


def request(screen: Console, report: RequestReport) -> None:
    """Print the whole picture of one request."""
    _head(screen, report)
    screen.print()
    tree.draw(screen, report)
    screen.print()
    waterfall.draw(screen, report)


def _head(screen: Console, report: RequestReport) -> None:
    title = Text(plain(report["root"]), style="bold").append(f"  {plain(report['service'])}", style="not bold")
    title.append(f"  {report['started_at'][:19].replace('T', ' ')} UTC", style="not bold dim")
    counts = [f"{amounts.count(report['calls'])} calls", f"{amounts.count(report['attempts'])} attempts"]
    if report["failed_attempts"]:
        counts.append(f"{amounts.count(report['failed_attempts'])} failed")
    counts.append(amounts.duration(report["seconds"]))
    screen.print(title)
    screen.print(Text(f"trace {plain(report['trace_id'])}  {', '.join(counts)}", style="dim"))
    if report["attribution"]:
        told = (f"{plain(name)} {plain(value)}" for name, value in report["attribution"].items())
        screen.print(Text("  ".join(told), style="dim", overflow="ellipsis", no_wrap=True))
