"""What is wrong with what an instrumentation has recorded of a case, and with what the application saw of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from behaviour.peers.meaning import Usage, by_side
from behaviour.peers.process import Case, Found
from behaviour.verdict import counted

NOT_SEEN, NOT_TOLD = "tokens: no span", "tokens: not told"
HANGS, BREAKS = "result: the application hangs", "result: the application gets an error"
TYPE, DIFFERS, ASKS = "result: of another type", "result: differs", "result: another request"
LEAKS = "context: leaks"
OWN = ("request", "tool", "application", "span restored: True")
"""What an application finds as the current span, when it is its own."""


def faults(case: Case, bare: Found, found: Found | None) -> list[str]:
    """All that is not as it has to be."""
    if found is None:
        return [HANGS]
    application, asked, told = found
    expected = [by_side(record) for record in counted(case.scenario.records(case.door))]
    seen = [BREAKS] if _broke(bare[0][0], application[0]) else sorted(set(_seen(bare[0], application)))
    request = [ASKS] if asked != bare[1] else []
    return [*_recorded(expected, told), *seen, *request]


def _sum(usages: Sequence[Usage], side: str) -> int:
    return sum(usage.get(side, 0) for usage in usages)


def _recorded(expected: list[Usage], told: dict[str, Any]) -> Iterator[str]:
    usages = told["usages"]
    truth, counts = [[_sum(each, side) for side in ("input", "output")] for each in (expected, usages)]
    if sum(truth) and not sum(counts):
        yield NOT_TOLD if told["spans"] else NOT_SEEN
        return
    if counts != truth:
        yield f"tokens: {_how(truth, counts)}"
    if len(usages) != len(expected):
        yield f"records: {'more' if len(usages) > len(expected) else 'fewer'} than answers"
    if told["beside"] and usages:
        yield "records: the client's own beside"
    for side in ("cache read", "cache write", "reasoning"):
        if _sum(expected, side) and not any(side in usage for usage in usages):
            yield f"{side}: not told"
        elif sum(truth) and _sum(expected, side) != _sum(usages, side) and counts == truth:
            yield f"{side}: wrong"


def _how(truth: list[int], counts: list[int]) -> str:
    """In which way counts are wrong."""
    if not sum(truth):
        return "made up"
    times = sum(counts) // sum(truth)
    if times > 1 and counts == [each * times for each in truth]:
        return "counted more than once"
    return "too many" if sum(counts) > sum(truth) else "too few"


def _broke(bare: Any, found: Any) -> bool:
    """Whether the application gets an error where it gets none without."""
    return _is_error(found) and not _is_error(bare)


def _is_error(value: Any) -> bool:
    kinds = [type(part) for part in value] if isinstance(value, list) else []
    return kinds == [str, str, dict] and bool(_OF_TYPE.fullmatch(value[0]))


_OF_TYPE = re.compile(r"[a-z_][\w.<>]*\.\w+", re.IGNORECASE)
"""How the type of a value is told."""


def _seen(bare: Any, found: Any) -> Iterator[str]:
    """How what the application sees differs from what it sees without."""
    if bare == found:
        return
    if bare in OWN:
        yield LEAKS
    elif isinstance(bare, list) and isinstance(found, list) and len(bare) == len(found):
        for one, other in zip(bare, found, strict=True):
            yield from _seen(one, other)
    elif isinstance(bare, dict) and isinstance(found, dict) and bare.keys() == found.keys():
        for key in bare:
            yield from _seen(bare[key], found[key])
    else:
        named = all(isinstance(each, str) and _OF_TYPE.fullmatch(each) for each in (bare, found))
        yield TYPE if named else DIFFERS
