"""`tokentrace prices doctor`: whether the prices that calls were rated with can be believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import click

from tokentrace_collector.cli import options

_PERIOD = timedelta(days=30)


@click.command("doctor")
@click.option("--since", type=options.Moment(), help="Calls from then on. Default: 30d.")
@click.option("--until", type=options.Moment())
@click.option(
    "--tolerance", type=options.Amount(), default=Decimal(5), show_default=True,
    help="Per cent by which what somebody said a model cost may differ from what its prices make of it.",
)  # fmt: skip
@click.option(
    "--stale", type=click.IntRange(1), default=90, show_default=True, help="Days after which a catalogue is old."
)
@click.option(
    "--beside",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another source to compare with: a price file of LiteLLM, a catalogue, or a price book.",
)
@options.as_json
@options.store
@options.url
@click.pass_context
def doctor(
    context: click.Context,
    *,
    since: datetime | None,
    until: datetime | None,
    tolerance: Decimal,
    stale: int,
    beside: Path | None,
    as_json: bool,
    store: str,
    url: str | None,
) -> None:
    """Check what calls were rated with: what has no price, what looks wrong, and how old the catalogue is.

    The exit status is 1 where something has no price, or costs otherwise than somebody said.
    """
    from tokentrace_collector.cli import examination, price_changes, price_findings, source, terminal  # noqa: PLC0415

    now = datetime.now(UTC)
    until = until or now
    since = since or until - _PERIOD
    with source.opened(store, url) as books:
        found = books.findings(since, until)
    others = price_changes.between("catalogue", str(beside), shared=True) if beside else []
    checks = price_findings.judged(found, others, now.date(), tolerance, stale)
    if as_json:
        terminal.write_json({
            "healthy": examination.healthy(checks),
            "checks": [each.document for each in checks],
            "pricing": found,
        })  # fmt: skip
    else:
        examination.draw(checks)
    context.exit(0 if examination.healthy(checks) else 1)
