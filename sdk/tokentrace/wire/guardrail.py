"""Bedrock guardrails that are asked by themselves: text units by policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Format, Reading, dig, mapping, number
from tokentrace.wire import converse
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """What ApplyGuardrail or InvokeGuardrailChecks answers; the assessments in it repeat the usage at the top."""
    seen.usage = mapping(mapping(part).get("usage"))
    seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The units that are billed, by policy or by check; where none of them took any it was free."""
    checks = [number(dig(check, "textUnits")) or 0 for check in seen.usage.values()]
    units = converse.guarded({"usage": seen.usage}) + sum(checks)
    if seen.usage and not units:
        return Usage()
    counts = Tally()
    counts.meter("guardrail_units", units)
    return counts.settle(seen, context)


FORMAT = Format("guardrail", read, count, re.compile(rb'"usage"'))
