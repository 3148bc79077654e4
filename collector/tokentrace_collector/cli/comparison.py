"""What a view of single calls would have shown of a request, beside what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from tokentrace_collector.cli import amounts
from tokentrace_collector.reports.documents.requests import RequestReport

_MISSED = {
    "errors": "answers that were lost and asked for again",
    "human_review": "the time of people",
    "infrastructure": "capacity that stood idle",
}
_BLURRED = {
    "hidden_reasoning": "reasoning that nobody sees",
    "orchestration": "the agent's own work on the way",
}


def draw(screen: Console, report: RequestReport) -> None:
    """Print the comparison."""
    screen.print(Text("What a per-call view would have shown", style="bold"))
    for sentence in sentences(report):
        screen.print(Text(sentence))


def sentences(report: RequestReport) -> Iterator[str]:
    """The comparison, sentence by sentence."""
    total, shown = Decimal(report["total"]), Decimal(report["per_call"]["total"])
    decimals = amounts.places(total)
    calls = amounts.count(report["per_call"]["calls"])
    yield (
        f"{calls} answered calls for {amounts.money(shown, report['currency'], decimals)}: "
        f"{amounts.share(shown, total)} of the total cost of ownership."
    )
    if missed := _named(report, _MISSED, decimals):
        yield f"It would have missed {missed}."
    if blurred := _named(report, _BLURRED, decimals):
        yield f"And it would not have told that the calls contain {blurred}."


def _named(report: RequestReport, names: dict[str, str], decimals: int) -> str:
    found = [
        f"{name} ({amounts.money(amount, report['currency'], decimals)})"
        for component, name in names.items()
        if (amount := Decimal(report["components"].get(component, "0")))
    ]
    return " and ".join(filter(None, [", ".join(found[:-1]), *found[-1:]]))
