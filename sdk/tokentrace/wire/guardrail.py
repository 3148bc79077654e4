"""Bedrock guardrails that are asked by themselves: text units by policy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tokentrace.reading import Format, Reading, dig, mapping, number
from tokentrace.usage import Usage
from tokentrace.wire import converse
from tokentrace.wire.tally import Tally


def read(part: Any, seen: Reading) -> None:
    """What ApplyGuardrail or InvokeGuardrailChecks answers; the assessments in it repeat the usage at the top."""
    if usage := mapping(mapping(part).get("usage")):
        # The one counts by policy, the other by check.
        checks = [number(dig(check, "textUnits")) or 0 for check in usage.values()]
        seen.facts["guardrail_units"] = converse.guarded({"usage": usage}) + sum(checks)
        seen.complete = True


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:  # noqa: ARG001 - as every format counts.
    """The units that are billed; a check that took none of them is free."""
    units = seen.facts.get("guardrail_units")
    if units == 0:
        return Usage()
    counts = Tally()
    counts.meter("guardrail_units", units)
    return counts.settle(seen, context)


FORMAT = Format("guardrail", read, count, re.compile(rb'"usage"'))
