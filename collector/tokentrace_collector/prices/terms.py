"""Terms of what is paid whether it is used or not: from when to when, where, and how much for how long."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from tokentrace_collector import notation
from tokentrace_collector.prices.commitments import EdgeError, Step, periods


def one_of(node: yaml.Node, known: Collection[str]) -> str:
    """A value that is one of some."""
    written = notation.text(node)
    if written not in known:
        notation.reject(node, f"{written!r} is not known here. Write one of {', '.join(known)}")
    return written


def zone(node: yaml.Node | None) -> str:
    """Where days and months begin."""
    if node is None:
        return "UTC"
    written = notation.text(node)
    try:
        return ZoneInfo(written).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        notation.reject(node, f"There is no time zone {written!r}. Write one such as America/Los_Angeles")


def term(entries: Mapping[str, yaml.Node], where: str) -> tuple[datetime, datetime]:
    """From when to when it holds."""
    notation.check_reach(entries)
    since, until = (_moment(entries[name], where) for name in ("from", "to"))
    if since >= until:
        notation.reject(entries["to"], f"`to: {notation.text(entries['to'])}` does not lie after `from`")
    return since, until


def price(node: yaml.Node, steps: Collection[str], usual: Step) -> tuple[Decimal, Step]:
    """How much, and for how long each time."""
    if isinstance(node, yaml.ScalarNode):
        return notation.money(node), usual
    entries = notation.entries(node, {"amount", "per"}, needed=("amount", "per"))
    return notation.money(entries["amount"]), cast("Step", one_of(entries["per"], steps))


def whole(node: yaml.Node, step: Step, since: datetime, until: datetime, where: str) -> None:
    """Refuse a term that cuts a period in two."""
    if step not in ("minute", "hour"):
        try:
            periods(step, since, until, where)
        except EdgeError as error:
            notation.reject(node, str(error))
    elif any(each.minute or each.second or each.microsecond for each in (since, until)):
        notation.reject(node, "The term begins or ends within an hour. Write whole hours")


def _moment(node: yaml.Node, where: str) -> datetime:
    """A date is its midnight where the provider settles; a time without an offset is UTC, as everywhere."""
    moment = notation.moment(node)
    if len(notation.text(node)) == len("2026-01-31"):
        return moment.replace(tzinfo=ZoneInfo(where)).astimezone(UTC)
    return moment
