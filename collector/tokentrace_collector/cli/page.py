"""What was spent as one HTML file: no request leaves it, nothing in it runs, and what the books say is text."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape

from tokentrace_collector.cli import amounts, spending, terminal, waterfall
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.reports.documents.spending import Share

_ROW = 44
"""Height of a row of the waterfall: a line of text, and its bar below."""
_BAR = 16
_RULES = """
:root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --faint: #57606a; --line: #d0d7de;
  --visible: #1a7f37; --hidden_reasoning: #8250df; --orchestration: #0969da; --errors: #cf222e;
  --human_review: #9a6700; --infrastructure: #1b7c83; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --faint: #9198a1; --line: #3d444d;
    --visible: #3fb950; --hidden_reasoning: #ab7df8; --orchestration: #4493f8; --errors: #f85149;
    --human_review: #d29922; --infrastructure: #39c5cf; } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 70rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
p { margin: .25rem 0; max-width: 45rem }
.faint { color: var(--faint) }
.total { font-size: 2rem; font-variant-numeric: tabular-nums; margin: .5rem 0 0 }
svg { display: block; width: 100%; max-width: 45rem; margin: 1rem 0; overflow: visible }
svg text { fill: var(--ink); font-size: 14px; font-variant-numeric: tabular-nums }
svg .rail { fill: var(--line); opacity: .45 }
svg .other, svg .whole { fill: var(--ink) }
COLOURS
.wide { overflow-x: auto; max-width: 100% }
.wide:focus-visible { outline: 2px solid var(--orchestration); outline-offset: 2px }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { text-align: left; color: var(--faint); padding-bottom: .25rem }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th { font-weight: 600 }
th[scope=row], thead th:first-child, .text { text-align: left; white-space: normal; overflow-wrap: anywhere;
  min-width: 7rem }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600 }
@media print { .wide { overflow: visible } }
"""
_COMPONENTS = ("visible", "hidden_reasoning", "orchestration", "errors", "human_review", "infrastructure")
_STYLE = _RULES.replace("COLOURS", "\n".join(f"svg .{name} {{ fill: var(--{name}) }}" for name in _COMPONENTS))
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)


def drawn(found: Sequence[Share], wanted: Breakdown, made: datetime) -> str:
    """The page: for each currency the six components as a waterfall and as a table, then the groups."""
    currencies = sorted({each["currency"] for each in found})
    sections = [_currency([each for each in found if each["currency"] == name], name, wanted) for name in currencies]
    body = "\n".join(sections) or "<p>Nothing was spent that matches.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Total cost of AI ownership</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>Total cost of AI ownership</h1>
<p class="faint">{_text(_question(wanted))}. Made {made:%Y-%m-%d %H:%M} UTC by tokentrace.</p>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def _currency(of: Sequence[Share], currency: str, wanted: Breakdown) -> str:
    whole = spending.added(of)
    total, known = Decimal(whole["total"]), whole["lines"]
    decimals = amounts.places(total)
    bound = _bound(whole)
    facts = [f"{amounts.count(known['known'])} of {amounts.count(known['of'])} lines of cost have a price"]
    if known["known"] < known["of"]:
        facts[0] += ", so that the total is a lower bound"
    if Decimal(whole["estimated"]):
        facts.append(f"{amounts.money(Decimal(whole['estimated']), currency, decimals)} rest on estimated counts")
    if Decimal(whole["allocated"]):
        allocated = amounts.money(Decimal(whole["allocated"]), currency, decimals)
        facts.append(f"{allocated} are shares of capacity, commitments or reviews of several requests")
    if corrections := Decimal(whole["corrections"]):
        facts.append(f"{amounts.money(corrections, currency, decimals)} are corrections of closed months")
    facts += filter(None, (spending.multiples(whole, wanted, "~"), spending.sampled(whole, "~")))
    shown = f'<data value="{whole["total"]}">{_text(bound + amounts.money(total, currency, decimals))}</data>'
    return "\n".join([
        f'<section aria-labelledby="sum-{_text(currency)}">',
        f'<h2 id="sum-{_text(currency)}">Total in {_text(currency)}</h2>',
        f'<p class="total">{shown}</p>',
        f'<p class="coverage">{_text("; ".join(facts))}.</p>',
        _waterfall(whole, decimals),
        _twin(whole, decimals),
        f"<h2>{_text(_divided(wanted))}</h2>",
        _groups(of, whole, wanted, decimals),
        "</section>",
    ])  # fmt: skip


def _waterfall(whole: Share, decimals: int) -> str:
    """Bars that climb to the total. Widths are shares of the page, so that the text keeps its size on a small one."""
    total, currency = Decimal(whole["total"]), whole["currency"]
    rows = list(_bars(whole))
    shown = [part or amount for part, (*_, amount) in zip(_rounded(whole, decimals), rows, strict=True)]
    values = [amounts.money(amount, currency, decimals) for amount in shown]
    values.append(_bound(whole) + amounts.money(total, currency, decimals))
    told = ", ".join(f"{name} {value}" for (name, *_), value in zip(rows, values, strict=False))
    named = _text(currency)
    parts = [
        f'<svg role="img" height="{(len(rows) + 1) * _ROW}" aria-labelledby="bars-{named} told-{named}">',
        f'<title id="bars-{named}">Components of cost</title>',
        f'<desc id="told-{named}">{_text(told)}.</desc>',
    ]
    rows.append(("total", "whole", Decimal(0), total))
    for place, ((name, colour, before, amount), value) in enumerate(zip(rows, values, strict=True)):
        top = place * _ROW
        parts += [
            f'<text x="0" y="{top + 15}">{_text(name)}</text>',
            f'<text x="100%" y="{top + 15}" text-anchor="end">{_text(value)}</text>',
            f'<rect class="rail" x="0" y="{top + 21}" width="100%" height="{_BAR}"/>',
        ]
        if total > 0 and amount > 0:
            left, width = (f"{part / total * 100:.4f}%" for part in (before, amount))
            parts.append(f'<rect class="{colour}" x="{left}" y="{top + 21}" width="{width}" height="{_BAR}"/>')
    return "\n".join([*parts, "</svg>"])


def _bars(whole: Share) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    for name, bar in zip(whole["components"], waterfall.bars(whole["components"]), strict=True):
        yield bar.name, name if name in _COMPONENTS else "other", bar.before, bar.amount


def _twin(whole: Share, decimals: int) -> str:
    """The waterfall as a table."""
    total, currency = Decimal(whole["total"]), whole["currency"]
    parts = _rounded(whole, decimals)
    rows = [
        f'<tr><th scope="row">{_text(name.replace("_", " "))}</th>{_money(amount, part, currency, decimals)}'
        f"<td>{_text(amounts.share(Decimal(amount), total))}</td></tr>"
        for (name, amount), part in zip(whole["components"].items(), parts, strict=True)
    ]
    sum_of_all = _money(whole["total"], total, currency, decimals, _bound(whole))
    foot = f'<tr><th scope="row">total</th>{sum_of_all}<td></td></tr>'
    return _table("components", "The same as a table", ["component", "cost", "share"], rows, foot)


def _groups(of: Sequence[Share], whole: Share, wanted: Breakdown, decimals: int) -> str:
    labels = [*([] if wanted.per == "all" else [wanted.per]), *(wanted.by or ("",))]
    components = list(whole["components"])
    titles = [each.replace("_", " ") for each in labels]
    titles += [spending.title(each, wanted) for each in components]
    total = Decimal(whole["total"])
    rows = [f"<tr>{_labels(each, wanted)}{_cells(each, total, decimals)}</tr>" for each in of]
    span = f' colspan="{len(labels)}"' if len(labels) > 1 else ""
    foot = f'<tr><th scope="row"{span}>sum</th>{_cells(whole, total, decimals)}</tr>'
    return _table(
        "groups",
        "Cost by component, and the part of it that is known",
        [*titles, "total", *([spending.POPULATION] if whole["population"] else []), "share", "known"],
        rows,
        foot,
    )


def _labels(each: Share, wanted: Breakdown) -> str:
    texts = [] if wanted.per == "all" else [each["period"] or ""]
    if each["group"] is None:
        texts += [spending.REST, *("" for _ in wanted.by[1:])]
    else:
        texts += [terminal.plain(value) or spending.NAMELESS for value in each["group"].values()] or ["everything"]
    first, *others = map(_text, texts)
    return f'<th scope="row">{first}</th>' + "".join(f'<td class="text">{other}</td>' for other in others)


def _cells(each: Share, whole: Decimal, decimals: int) -> str:
    currency, known = each["currency"], spending.known(each)
    parts = _rounded(each, decimals)
    cells = [
        _money(amount, part, currency, decimals)
        for amount, part in zip(each["components"].values(), parts, strict=True)
    ]
    total = Decimal(each["total"])
    covered = "" if known is None else amounts.coverage(known)
    cells.append(_money(each["total"], total, currency, decimals, _bound(each)))
    if told := each["population"]:
        estimate = told["estimated_total"]
        cells.append(_money(estimate, Decimal(estimate), currency, decimals, "~") if estimate else "<td></td>")
    return "".join(cells) + f"<td>{_text(amounts.share(total, whole))}</td><td>{_text(covered)}</td>"


def _rounded(each: Share, decimals: int) -> list[Decimal]:
    return amounts.rounded([Decimal(amount) for amount in each["components"].values()], decimals)


def _money(exact: str, shown: Decimal, currency: str, decimals: int, bound: str = "") -> str:
    """An amount as it is read, with every digit beside it."""
    amount = shown or Decimal(exact)
    return f'<td><data value="{_text(exact)}">{_text(bound + amounts.money(amount, currency, decimals))}</data></td>'


def _bound(each: Share) -> str:
    return ("≥ " if spending.is_bound(each) else "") + ("~" if Decimal(each["estimated"]) else "")


def _table(kind: str, caption: str, titles: Sequence[str], rows: Sequence[str], foot: str) -> str:
    head = "".join(f'<th scope="col">{_text(title)}</th>' for title in titles)
    return "\n".join([
        f'<div class="wide" tabindex="0" role="region" aria-label="{_text(caption)}">',
        f'<table class="{kind}"><caption>{_text(caption)}</caption>',
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>", *rows, "</tbody>",
        f"<tfoot>{foot}</tfoot></table></div>",
    ])  # fmt: skip


def _question(wanted: Breakdown) -> str:
    since = f"{wanted.since:%Y-%m-%d %H:00} UTC" if wanted.since else "the beginning"
    until = f"{wanted.until:%Y-%m-%d %H:00} UTC" if wanted.until else "now"
    chosen = "".join(f", {name.replace('_', ' ')} {terminal.plain(value)}" for name, value in wanted.only.items())
    run = f", by the prices of run {wanted.run}" if wanted.run else ""
    capacity = ", used capacity as infrastructure" if wanted.infra_view == "all" else ""
    return f"From {since} until {until}{chosen}{run}{capacity}"


def _divided(wanted: Breakdown) -> str:
    parts = [name.replace("_", " ") for name in wanted.by]
    by = f"By {' and '.join(parts)}" if parts else "All of it"
    return by if wanted.per == "all" else f"{by}, per {wanted.per}"


def _text(value: str) -> str:
    return escape(terminal.plain(value))
