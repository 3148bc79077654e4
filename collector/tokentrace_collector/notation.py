"""YAML read value by value, each as it was written and each with its line: what a checked document is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from typing import NoReturn

import yaml

FINEST = 18
"""Decimal places that an amount of money keeps."""
WIDE = Context(prec=60)
"""Python's 28 digits are fewer than an amount may have."""
FIRST, LAST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
"""What the tables have hours for."""


class NotationError(ValueError):
    """A document that cannot be taken at its word."""


def compose(text: str) -> yaml.Node | None:
    """The root of a YAML text; None where it is empty."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise NotationError(f"This is not YAML: {error}") from error


def moment(node: yaml.Node) -> datetime:
    """A date or time, as aware UTC."""
    written = text(node)
    try:
        if len(written) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(written), time(), UTC)
        found = datetime.fromisoformat(written)
    except ValueError:
        reject(node, f"{written!r} is no date. Write 2026-07-01 or 2026-07-01T00:00:00Z")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def period(entries: Mapping[str, yaml.Node]) -> tuple[datetime | None, datetime | None]:
    """What `from` and `to` say, the one before the other; None: without a beginning, or without an end."""
    since, until = (moment(entries[name]) if name in entries else None for name in ("from", "to"))
    if since and until and since >= until:
        reject(entries["to"], f"`to: {text(entries['to'])}` does not lie after `from`")
    return since, until


def check_reach(entries: Mapping[str, yaml.Node]) -> None:
    """Refuse a period of what is paid by the hour that the tables have no hours for."""
    for name in ("from", "to"):
        if name in entries and not FIRST <= moment(entries[name]) <= LAST:
            reject(entries[name], f"`{name}: {text(entries[name])}` is out of reach. Write a time from 1971 to 2100")


def money(node: yaml.Node, *, places: int = FINEST, below: int = 10**9) -> Decimal:
    """An amount from 0 up, with every digit it was written with."""
    written = text(node)
    try:
        amount = Decimal(written)
    except InvalidOperation:
        reject(node, f"{written!r} is no decimal number")
    if not amount.is_finite() or amount < 0 or amount >= below:
        reject(node, f"{written!r} is no price. Write a decimal number from 0 to 10^{len(str(below)) - 1}")
    if amount != amount.quantize(Decimal(1).scaleb(-places), context=WIDE):
        reject(node, f"{written!r} has more than {places} decimal places. Round it")
    return amount


def text(node: yaml.Node) -> str:
    """A single value, as written."""
    # The text as written: a float would already have lost what a decimal must keep.
    if not isinstance(node, yaml.ScalarNode):
        reject(node, "Here belongs a single value")
    return str(node.value)


def entries(node: yaml.Node, known: set[str], *, needed: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
    """The entries of a mapping, all of them known."""
    found: dict[str, yaml.Node] = {}
    for key, each in pairs(node):
        if key not in known:
            reject(each, f"There is no entry {key!r} here. Known: {', '.join(sorted(known))}")
        found[key] = each
    for key in needed:
        if key not in found:
            reject(node, f"The entry {key!r} is missing")
    return found


def pairs(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping, whatever their names."""
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        reject(node, "Here belong entries of the form `name: value`")
    seen: set[str] = set()
    for key, value in node.value:
        name = text(key)
        if name in seen:
            reject(key, f"The entry {name!r} stands here twice")
        seen.add(name)
        yield name, value


def glob(entries_of: Mapping[str, yaml.Node], name: str) -> str:
    """The pattern of an entry; one that is not there admits everything."""
    return text(entries_of[name]) if name in entries_of else "*"


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """The entries of a list."""
    if node is None:
        return []
    if not isinstance(node, yaml.SequenceNode):
        reject(node, "Here belongs a list: one `- …` per entry")
    return list(node.value)


def reject(node: yaml.Node, why: str) -> NoReturn:
    """Refuse a value: where it stands and what is wrong with it."""
    raise NotationError(f"Line {node.start_mark.line + 1}: {why}.")
