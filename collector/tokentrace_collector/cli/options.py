"""Options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_AGO = re.compile(r"(?P<number>\d+)(?P<unit>[smhdw])")
_LONG = re.compile(r"(?P<number>\d{1,4})(?P<unit>[hdwy])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Moment(click.ParamType[datetime]):
    """A time: 90m, 2h or 7d ago, or an ISO 8601 date or time, UTC where it names no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        if ago := _AGO.fullmatch(value):
            return datetime.now(UTC) - timedelta(**{_UNITS[ago["unit"]]: int(ago["number"])})
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time. Write 2h, 7d or 2026-01-31T12:00.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class Duration(click.ParamType[timedelta]):
    """How long: 36h, 30d, 52w or 5y, of 365 days each."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if (found := _LONG.fullmatch(value)) is None:
            self.fail(f"{value!r} says not how long. Write 36h, 30d, 52w or 5y.", param, ctx)
        number = int(found["number"])
        return timedelta(days=365 * number) if found["unit"] == "y" else timedelta(**{_UNITS[found["unit"]]: number})


class Amount(click.ParamType[Decimal]):
    """An amount of money."""

    name = "amount"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite():
            self.fail(f"{value!r} is no amount. Write it like 0.25.", param, ctx)
        return amount


store = click.option(
    "--store",
    default="chdb://",
    envvar="TOKENTRACE_STORE",
    metavar="DSN",
    help="chdb:///path or clickhouse://user:password@host:8123/db. Default: embedded, in your data directory.",
)
url = click.option(
    "--url", envvar="TOKENTRACE_URL", metavar="URL", help="A running collector to ask, such as http://127.0.0.1:4319."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a drawing.")
as_json_lines = click.option("--json", "as_json", is_flag=True, help="Print one JSON document a line.")
book = click.option(
    "--book",
    envvar="TOKENTRACE_BOOK",
    type=click.Path(exists=True, dir_okay=False),
    help="Price book (YAML) with your own prices, rates of people and capacity.",
)
