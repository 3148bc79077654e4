"""Commitments on random books and traffic: what all lines add up to is the invoice that an independent simulator writes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest

HOUR = 3600
HOURS = 3
PRICES = {"input_text": Decimal("0.37"), "cache_read": Decimal("0.041"), "output_text": Decimal("2.9")}
UNIT = Fraction(1, 10**18)


@dataclass
class Promise:
    id: str
    kind: str
    settle: int
    fee: Decimal
    quantity: int = 0
    weights: tuple[int, int, int] = (1, 0, 4)
    linear: bool = False
    discount: Decimal = Decimal(0)
    models: str = "*"
    provider: str = ""

    @property
    def text(self) -> str:
        name = {60: "minute", HOUR: "hour", HOURS * HOUR: "term"}[self.settle]
        said = f"id: {self.id}, kind: {self.kind}, settle: {name}, match: {{provider: {self.provider}, model: '{self.models}'}}, "
        said += "from: 2026-11-20T10:00:00, to: 2026-11-20T13:00:00, "
        if self.kind == "spend":
            return f"{{{said}amount: {self.fee}, discount: {self.discount}}}"
        weights = "input: {}, cached: {}, output: {}".format(*self.weights)
        scheme = ", scheme: linear" if self.linear else ""
        return f"{{{said}price: {self.fee}, quantity: {self.quantity}, weights: {{{weights}}}{scheme}}}"


@dataclass
class Call:
    trace: str
    at: int
    provider: str
    model: str
    tokens: dict[str, int]


def drawn(seed: int) -> tuple[list[Promise], list[Call]]:
    """One of the worlds, each with a provider of its own."""
    chance, world = random.Random(seed), f"w{seed}"
    promises = [
        Promise(
            f"{world}-{number}",
            "usage",
            chance.choice([60, HOUR, HOURS * HOUR]),
            Decimal(chance.randint(1, 9_999)) / 10_000,
            chance.choice([300, 5_000, 60_000]),
            (chance.choice([1, 2]), chance.choice([0, 1]), chance.randint(1, 8)),
            linear=chance.random() < 0.3,
            models=chance.choice(["*", "a*"]),
            provider=world,
        )
        for number in range(chance.randint(0, 2))
    ]
    if not promises or chance.random() < 0.5:
        settle, fee = chance.choice([HOUR, HOURS * HOUR]), Decimal(chance.randint(1, 90)) / 1000
        promises.append(Promise(f"{world}-s", "spend", settle, fee, discount=Decimal("0.17"), provider=world))
    calls = [
        Call(
            f"{world}-{number}",
            chance.choice([0, 0, HOUR, 2 * HOUR]) + chance.choice([3, 30, 75, 3_000]),
            world,
            chance.choice("ab"),
            {name: chance.randint(0, 4_000) for name in PRICES},
        )
        for number in range(chance.randint(1, 9))
    ]
    return promises, calls


def rounded(amount: Fraction) -> Fraction:
    return round(amount / UNIT) * UNIT


def invoice(promises: list[Promise], calls: list[Call]) -> Fraction:
    """What the provider bills for the whole term, by hand: capacity first, then spending, then list."""
    left = {(number, unit): Fraction(1) for number, _ in enumerate(calls) for unit in PRICES}
    owed = Fraction(0)
    last: dict[tuple[int, str], tuple[str, int]] = {}

    def price(number: int, unit: str) -> Fraction:
        return Fraction(PRICES[unit]) / 1_000_000 * calls[number].tokens[unit]

    for promise in sorted(promises, key=lambda each: (each.kind == "spend", each.id)):
        pot = max(promise.settle, HOUR)
        for first in range(0, HOURS * HOUR, promise.settle):
            inside = [
                (number, unit)
                for number, unit in left
                if first <= calls[number].at < first + promise.settle
                and calls[number].tokens[unit]
                and left[number, unit] > 0
                and (promise.models == "*" or calls[number].model == "a")
            ]
            last |= {each: (promise.id, calls[each[0]].at // pot) for each in inside}
            if promise.kind == "spend":
                listed = sum((price(*each) * left[each] for each in inside), Fraction(0))
                owed += max(Fraction(promise.fee), rounded(listed * (1 - Fraction(promise.discount))))
                left |= dict.fromkeys(inside, Fraction(0))
                continue
            weight = dict(zip(PRICES, promise.weights, strict=True))
            demand = sum((calls[n].tokens[unit] * weight[unit] * left[n, unit] for n, unit in inside), Fraction(0))
            u = min(Fraction(1), demand / promise.quantity)
            owed += rounded(Fraction(promise.fee) * u * (2 - u)) if promise.linear else Fraction(promise.fee)
            covered = min(Fraction(1), promise.quantity / demand) if demand else Fraction(1)
            left |= {each: left[each] * (1 - covered) for each in inside}
    beyond: dict[object, Fraction] = {}
    for each, share in left.items():
        if share == 1 and each not in last:
            owed += price(*each)
        elif each in last:
            beyond[last[each]] = beyond.get(last[each], Fraction(0)) + price(*each) * share
    return owed + sum(map(rounded, beyond.values()), Fraction(0))


def put(ledger, calls):
    for each in calls:
        tokens = {name: count for name, count in each.tokens.items() if count}
        ledger.call(each.trace, "a", provider=each.provider, model=each.model, at=each.at, tokens=tokens)


def book(promises):
    prices = ", ".join(f"{name}: {price}" for name, price in PRICES.items())
    promised = ", ".join(each.text for each in promises)
    return f"version: 1\nrates: [{{provider: 'w*', prices: {{{prices}}}}}]\ncommitments: [{promised}]"


def added(ledger, table, column, condition="1"):
    found = ledger.store.query(f"SELECT sum({column}) AS amount FROM {table} WHERE {condition}")
    return Fraction(found[0]["amount"])


WORLDS = range(24)
DRAWN = [drawn(seed) for seed in WORLDS]
CALLS = [each for _, calls in DRAWN for each in calls]


@pytest.fixture(scope="module")
def at_once(fresh_ledger):
    """All worlds in one store, in one go."""
    ledger = fresh_ledger().priced_by(book([each for promises, _ in DRAWN for each in promises]))
    put(ledger, CALLS)
    ledger.span("z", "x", at=HOURS * HOUR)
    ledger.tick()
    return ledger


@pytest.mark.parametrize("seed", WORLDS)
def test_lines_add_up_to_the_invoice(at_once, seed):
    promises, calls = DRAWN[seed]
    mine = f"provider = 'w{seed}' OR startsWith(pool, 'w{seed}-')"
    assert added(at_once, "cost_lines", "amount", mine) == invoice(promises, calls)


def test_every_sum_has_all_lines(at_once):
    whole = added(at_once, "cost_lines", "amount")
    nobodys = added(at_once, "cost_lines", "amount", "trace_id = ''")
    assert added(at_once, "tcoai_by_hour FINAL", "amount") == whole
    assert added(at_once, "tcoai_by_trace FINAL", "total") + nobodys == whole
    assert added(at_once, "tcoai_by_trace FINAL", "allocated") + nobodys == added(
        at_once, "capacity_lines FINAL", "amount"
    )


def test_the_order_in_which_traces_come_changes_nothing(at_once, fresh_ledger):
    """Half of them before the periods are over and half after, in another order: and a rebuild gives the same."""
    ledger, calls = fresh_ledger().priced_by(at_once.book.text), CALLS.copy()
    random.Random(1).shuffle(calls)
    half = len(calls) // 2
    for some in (calls[: half // 2], calls[half // 2 : half]):
        put(ledger, some)
        ledger.tick()
    ledger.span("z", "x", at=HOURS * HOUR)
    put(ledger, calls[half:])
    ledger.tick()
    assert ledger.everything() == at_once.everything()
    assert ledger.rollup.verify().verified["differences"] == []
