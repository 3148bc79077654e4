"""All the calls there were, as those tell that a sampler kept: an estimate, which stands beside what was observed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from tokentrace_collector.reports.documents.spending import Population, Sampled, Unit
from tokentrace_collector.reports.figures import decimal
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

_WAS_SAMPLED = """
SELECT 1
FROM call_costs
WHERE tenant = {tenant:String}
    AND sampling_numerator > 1
    AND ({since:Nullable(DateTime64(6))} IS NULL OR hour >= {since:Nullable(DateTime64(6))})
    AND ({until:Nullable(DateTime64(6))} IS NULL OR hour < {until:Nullable(DateTime64(6))})
LIMIT 1
"""
_OF_LINES = frozenset({"token_class", "sub_component"})
"""What the lines of one call differ in."""
_WIDE = Context(prec=76)
_MONEY = 18
_COUNTS = 6
_NEARLY_ALL = math.nextafter(1, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """Calls, or lines of them, that stand for numerator / denominator each."""

    numerator: int
    denominator: int
    counted: int
    tokens: Decimal
    cost: Decimal | None
    """None where it is not known."""

    @property
    def is_sampled(self) -> bool:
        """Whether they stand for more than themselves."""
        return self.numerator != self.denominator

    def and_also(self, other: Kept) -> Kept:
        """Both together, of the same ratio."""
        cost = None if self.cost is None or other.cost is None else _WIDE.add(self.cost, other.cost)
        tokens = _WIDE.add(self.tokens, other.tokens)
        return Kept(self.numerator, self.denominator, self.counted + other.counted, tokens, cost)


def rows(books: Books, chosen: str, counted: Unit, *, by: Sequence[str], **asked: Any) -> list[dict[str, Any]]:
    """The calls behind the sums of an answer, by group and ratio; none where no sampler had a hand in any."""
    if not books.query(_WAS_SAMPLED, since=asked["since"], until=asked["until"]):
        return []
    calls = schema.sql("reports/charged/calls")
    # What is wanted is chosen and named as for the answer itself.
    wanted = schema.instead(chosen, "FROM charged\n", f"FROM (\n{calls}) AS charged\n")
    return books.query(f"{wanted}\n{schema.sql('reports/population', by=by)}", unit=counted, **asked)


def by_ratio(
    ratios: Sequence[tuple[int, int]], counted: Sequence[int], tokens: Sequence[Decimal], costs: Sequence[Decimal]
) -> list[Kept]:
    """What was added up by ratio."""
    figures = zip(ratios, counted, tokens, costs, strict=True)
    return [Kept(*ratio, count, some_tokens, cost) for ratio, count, some_tokens, cost in figures]


def unit(dimensions: Iterable[str]) -> Unit:
    """What is counted where costs are divided, or chosen, by these."""
    return "calls" if _OF_LINES.isdisjoint(dimensions) else "lines"


def population(counted: Unit, kept: Iterable[Kept], tokens: Decimal, total: Decimal) -> Population:
    """What the calls of a group stand for; its tokens and its total hold much that stands for itself alone."""
    by_ratio: dict[tuple[int, int], Kept] = {}
    for each in kept:
        ratio = each.numerator, each.denominator
        by_ratio[ratio] = by_ratio[ratio].and_also(each) if ratio in by_ratio else each
    observed = sum(each.counted for each in by_ratio.values())
    sampled = [each for _, each in sorted(by_ratio.items()) if each.is_sampled]
    # Of what was kept, the part that is not there: (n - d) / d times as much.
    missing = [(each.numerator - each.denominator, each.denominator, each) for each in sampled]
    costs = [(more, of, each.cost) for more, of, each in missing if each.cost is not None]
    counts = [(1, 1, Decimal(observed)), *((more, of, Decimal(each.counted)) for more, of, each in missing)]
    all_tokens = scaled([(1, 1, tokens), *((more, of, each.tokens) for more, of, each in missing)], _COUNTS)
    all_costs = scaled([(1, 1, total), *costs], _MONEY) if len(costs) == len(sampled) else None
    return {
        "unit": counted,
        "observed": observed,
        "estimated_count": decimal(scaled(counts, _COUNTS)) if sampled else None,
        "estimated_tokens": decimal(all_tokens) if sampled else None,
        "estimated_total": decimal(all_costs) if sampled and all_costs is not None else None,
        # A part of all is never all, however little is missing.
        "coverage": min(float(observed / scaled(counts, _MONEY)), _NEARLY_ALL) if sampled else 1.0,
        "sampled": [_sampled(each) for each in sampled],
    }


def together(several: Sequence[Population | None], tokens: Decimal, total: Decimal) -> Population | None:
    """The population of several groups, which come to so many tokens and such a total."""
    told = [each for each in several if each]
    if not told:
        return None
    kept = [_kept(one) for each in told for one in each["sampled"]]
    rest = sum(each["observed"] for each in told) - sum(each.counted for each in kept)
    return population(told[0]["unit"], [Kept(1, 1, rest, Decimal(), Decimal()), *kept], tokens, total)


def scaled(figures: Iterable[tuple[int, int, Decimal]], places: int) -> Decimal:
    """The sum of figures, each of them times numerator / denominator: exact, and rounded once, half to even."""
    terms: list[tuple[int, int]] = []
    for numerator, denominator, figure in figures:
        whole, part = figure.as_integer_ratio()
        terms.append((numerator * whole, denominator * part))
    # Two by two, so that numbers grow long only at the end.
    while len(terms) > 1:
        pairs = zip(terms[::2], terms[1::2], strict=False)
        terms = [(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + terms[len(terms) // 2 * 2 :]
    numerator, denominator = terms[0] if terms else (0, 1)
    digits, rest = divmod(numerator * 10**places, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and digits % 2 == 1)
    return Decimal(f"{digits + is_up}E-{places}")


def _sampled(each: Kept) -> Sampled:
    return {
        "numerator": str(each.numerator),
        "denominator": str(each.denominator),
        "observed": each.counted,
        "tokens": decimal(each.tokens),
        "cost": None if each.cost is None else decimal(each.cost),
    }


def _kept(told: Sampled) -> Kept:
    cost = None if told["cost"] is None else Decimal(told["cost"])
    return Kept(int(told["numerator"]), int(told["denominator"]), told["observed"], Decimal(told["tokens"]), cost)
