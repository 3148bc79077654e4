"""Times and amounts as they are typed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import click
import pytest

from tokentrace_collector.cli.options import Amount, Moment


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_zone_is_utc(typed, meant):
    assert Moment().convert(typed, None, None) == meant


@pytest.mark.parametrize(
    ("typed", "ago"), [("90m", timedelta(minutes=90)), ("2h", timedelta(hours=2)), ("1w", timedelta(weeks=1))]
)
def test_a_time_may_lie_so_long_ago(typed, ago):
    before = datetime.now(UTC)
    meant = Moment().convert(typed, None, None)
    assert before - ago <= meant <= datetime.now(UTC) - ago


@pytest.mark.parametrize("typed", ["yesterday", "2h30", "-2h", "2026-13-01", ""])
def test_what_is_no_time_is_refused(typed):
    with pytest.raises(click.BadParameter, match="is no time"):
        Moment().convert(typed, None, None)


def test_an_amount_keeps_every_digit():
    assert Amount().convert("0.1000000000000000055", None, None) == Decimal("0.1000000000000000055")


@pytest.mark.parametrize("typed", ["lots", "NaN", "inf", ""])
def test_what_is_no_amount_is_refused(typed):
    with pytest.raises(click.BadParameter, match="is no amount"):
        Amount().convert(typed, None, None)
