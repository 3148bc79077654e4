"""`tokentrace export`: what was spent, as a file for FinOps tools."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tokentrace_collector.cli import options

if TYPE_CHECKING:
    from tokentrace_collector.reports.focus import Dataset, Format, Profile, Version


@click.command("export")
@click.option("--focus", "version", type=click.Choice(["1.4", "1.2"]), default="1.4", show_default=True)
@click.option(
    "--profile",
    type=click.Choice(["provider", "chargeback"]),
    default="provider",
    show_default=True,
    help="What providers of models bill; or all of it, people and capacity included.",
)
@click.option(
    "--dataset",
    type=click.Choice(["cost-and-usage", "contract-commitment"]),
    default="cost-and-usage",
    show_default=True,
    help="What was spent; or what was promised to providers for a term.",
)
@click.option("--from", "since", type=options.Moment(), required=True, help="First hour (UTC).")
@click.option("--to", "until", type=options.Moment(), required=True, help="End of the last hour.")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@click.option("--issuer", default="Internal", show_default=True, help="Who bills what no provider of models does.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write.")
@options.store
@options.url
def command(
    *,
    version: Version,
    profile: Profile,
    dataset: Dataset,
    since: datetime,
    until: datetime,
    form: Format,
    issuer: str,
    output: Path,
    store: str,
    url: str | None,
) -> None:
    """Write what was spent as FOCUS Cost and Usage, the format of FinOps tools.

    \b
      tokentrace export --from 2026-11-01 --to 2026-12-01 --output november.csv
      tokentrace export --dataset contract-commitment --from 2026-11-01 --to 2026-12-01 --output commitments.csv
    tokentrace export --profile chargeback --issuer "Acme IT" --format parquet \
        --from 2026-11-01 --to 2026-12-01 --output november.parquet

    Charges without a known price are listed with costs of 0 and `unpriced` in x_PriceStatus.
    """
    from tokentrace_collector.cli import source, terminal  # noqa: PLC0415
    from tokentrace_collector.reports.focus import Export, ExportError  # noqa: PLC0415

    try:
        wanted = Export(since, until, version, profile, form, issuer, dataset)
    except ExportError as error:
        raise terminal.Trouble(str(error)) from None
    with source.opened(store, url) as books:
        content = books.focus(wanted)
    try:
        output.write_bytes(content)
    except OSError as error:
        raise terminal.Trouble(f"The file {output} cannot be written: {error}") from None
