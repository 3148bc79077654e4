"""What was spent as a file of the FinOps Open Cost and Usage Specification (FOCUS)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from tokentrace_collector.reports import payments
from tokentrace_collector.store import schema
from tokentrace_collector.tenants import Books

Version = Literal["1.4", "1.2"]
Profile = Literal["provider", "chargeback"]
Format = Literal["csv", "parquet"]
Dataset = Literal["cost-and-usage", "contract-commitment"]

_LEFT_OUT: dict[Version, str] = {
    "1.4": "ProviderName, PublisherName",
    "1.2": "ServiceProviderName, HostProviderName",
}
"""Columns of the other versions."""
_ENGINE_FORMATS: dict[Format, str] = {"csv": "CSVWithNames", "parquet": "Parquet"}
_SETTINGS = {
    "date_time_output_format": "iso",
    "format_csv_null_representation": "",
    # Validators take a column of whole numbers for integers.
    "output_format_decimal_trailing_zeros": 1,
}


class ExportError(ValueError):
    """An export that makes no sense; the message says why."""


@dataclass(frozen=True, slots=True)
class Export:
    """Which file is wanted."""

    since: datetime
    """Start of the first hour."""
    until: datetime
    """End of the last hour."""
    version: Version = "1.4"
    profile: Profile = "provider"
    """`provider`: what providers of models bill. `chargeback`: people and capacity too, billed by `issuer`."""
    format: Format = "csv"
    issuer: str = "Internal"
    """Who bills what no provider of models does."""
    dataset: Dataset = "cost-and-usage"
    """`contract-commitment`: what was promised to providers for a term that has a part in the period; since 1.4."""

    def __post_init__(self) -> None:
        for name, known in (("version", Version), ("profile", Profile), ("format", Format), ("dataset", Dataset)):
            if getattr(self, name) not in get_args(known):
                raise ExportError(
                    f"The {name} {getattr(self, name)!r} is unknown. Known: {', '.join(get_args(known))}."
                )
        if self.dataset == "contract-commitment" and self.version != "1.4":
            raise ExportError(f"FOCUS {self.version} has no data set of contract commitments like this. Write 1.4.")
        for moment in (self.since, self.until):
            if moment.minute or moment.second or moment.microsecond:
                raise ExportError(f"{moment.isoformat()} is within an hour. Charges are exported by whole hours.")
        if self.since >= self.until:
            raise ExportError("The period ends before it begins. Give --from and, after it, --to.")
        if not self.issuer.strip():
            raise ExportError("The issuer has no name. FOCUS wants one.")


def written(books: Books, wanted: Export) -> bytes:
    """The file, as the engine writes it."""
    period = {"since": wanted.since.astimezone(UTC), "until": wanted.until.astimezone(UTC)}
    if wanted.dataset == "contract-commitment":
        promised = schema.sql("exports/contract_commitment")
        return books.file(promised, _ENGINE_FORMATS[wanted.format], settings=_SETTINGS, **period)
    charges = schema.sql("exports/cost_and_usage")
    return books.file(
        f"SELECT * EXCEPT ({_LEFT_OUT[wanted.version]}) FROM (\n{charges}\n)",  # noqa: S608 - columns of ours
        _ENGINE_FORMATS[wanted.format],
        settings=_SETTINGS,
        **period,
        profile=wanted.profile,
        issuer=wanted.issuer,
        **_paid(books, wanted),
    )


def _paid(books: Books, wanted: Export) -> dict[str, list[str]]:
    """What invoices came to otherwise when they were paid; of nobody else than who paid them."""
    asked = payments.Question(since=wanted.since, until=wanted.until)
    paid = payments.payments(books, asked) if wanted.profile == "provider" else []
    return {
        "paid_providers": [each["provider"] for each in paid],
        "paid_months": [f"{each['month']}-01" for each in paid],
        "paid_currencies": [each["currency"] for each in paid],
        "paid_differences": [each["difference"] for each in paid],
        "charge_currencies": [each["charge_currency"] for each in paid],
    }
