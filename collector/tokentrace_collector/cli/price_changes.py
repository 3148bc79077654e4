"""Sources of prices as the command line names them, read, compared, and what differs drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from genai_prices.update_prices import DEFAULT_UPDATE_URL
from rich.table import Table
from rich.text import Text

from tokentrace_collector.cli import amounts, faults, terminal
from tokentrace_collector.prices import book, catalogue, difference, edition, listing, litellm
from tokentrace_collector.prices.difference import PriceChange
from tokentrace_collector.prices.listing import Listing

_IN_USE = "catalogue"
_ALWAYS = "1970-01-01"
_MOST = 64 << 20
"""Bytes that a catalogue may have; those of today have two million."""
_MILLION = 1_000_000


def between(before: str, after: str, *, shared: bool) -> list[PriceChange]:
    """Where two sources differ that the user names."""
    with faults.told():
        return difference.differences(_source(before), _source(after), datetime.now(UTC), shared=shared)


def newer(content: bytes, where: str) -> list[PriceChange]:
    """What a catalogue says otherwise than the one in use."""
    with faults.told():
        after = listing.of_catalogue(edition.parse(content, where))
        return difference.differences(listing.of_catalogue(catalogue.snapshot()), after, datetime.now(UTC))


def fetched(address: str | None, patience: float) -> tuple[bytes, str]:
    """The catalogue at an address, or where genai-prices publishes it, and where that is."""
    where = address or DEFAULT_UPDATE_URL
    if not where.startswith(("http://", "https://")):
        raise terminal.Trouble(f"{where!r} is no HTTP address. Name a file with --file.")
    try:
        with urlopen(Request(where), timeout=patience) as answer:  # noqa: S310 - checked above
            content: bytes = answer.read(_MOST + 1)
    except HTTPError as error:
        with error:
            raise _unreachable(where, f"HTTP {error.code}") from None
    except OSError as error:
        raise _unreachable(where, str(getattr(error, "reason", error))) from None
    if len(content) > _MOST:
        raise terminal.Trouble(f"What {where} answers is longer than {_MOST >> 20} MiB, so it is no catalogue.")
    return content, where


def _unreachable(where: str, reason: str) -> terminal.Trouble:
    return terminal.Trouble(f"The catalogue at {where} cannot be had ({reason}). Bring it, and name it with --file.")


def write(file: Path, content: bytes) -> None:
    """Write a file."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise terminal.Trouble(f"The file {file} cannot be written: {error}") from None


def text_of(file: Path) -> str:
    """The text of a file of prices."""
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise terminal.Trouble(f"The file {file} cannot be read: {error}") from None


def draw(found: Sequence[PriceChange]) -> None:
    """Print a line for each price that differs."""
    screen = terminal.console()
    arrow = terminal.glyphs(screen).arrow
    table = Table(box=None, padding=(0, 0, 0, 2), pad_edge=False, header_style="dim", expand=True)
    table.add_column("model", ratio=2, overflow="fold")
    table.add_column("unit", ratio=1, overflow="fold")
    table.add_column("before", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    table.add_column("from", no_wrap=True)
    table.add_column("to", no_wrap=True)
    for each in found:
        name = " ".join(terminal.plain(each[part]) for part in ("provider", "model", "context")).strip()
        since = "" if each["valid_from"].startswith(_ALWAYS) else each["valid_from"][:10]
        sides = (_amount(each, each["before"]), arrow, _amount(each, each["after"]))
        table.add_row(Text(name), Text(_unit(each)), *sides, since, (each["valid_to"] or "")[:10])
    screen.print(table)
    screen.print(Text("Tokens per million. `--json` has every digit and time.", style="dim"))


def told(found: Sequence[PriceChange]) -> str:
    """How much differs, in a sentence."""
    if not found:
        return "No price differs."
    return f"{amounts.count(len(found))} prices of {amounts.count(difference.models(found))} models differ."


def line(each: PriceChange) -> str:
    """One price that differs, in a line."""
    name = " ".join(filter(None, (each["provider"], each["model"], each["context"], _unit(each))))
    sides = " to ".join(_amount(each, side) or "no price" for side in (each["before"], each["after"]))
    return f"{name}: {sides} from {each['valid_from'][:10]}"


def _unit(each: PriceChange) -> str:
    more = f" over {each['above_tokens'] / 1000:g}k" if each["above_tokens"] else ""
    if each["from_second"]:
        more += f" from {each['from_second'] // 3600:02}:{each['from_second'] // 60 % 60:02} UTC"
    return each["unit"] + more


def _amount(each: PriceChange, side: str | None) -> str:
    if side is None:
        return ""
    if each["unit"] in book.tokens():
        return f"{(Decimal(side) * _MILLION).normalize():f}"
    return side + ("" if each["per"] == 1 else f" per {each['per']:,}")


def _source(name: str) -> Listing:
    if name == _IN_USE:
        return listing.of_catalogue(catalogue.snapshot())
    content = text_of(Path(name))
    match content.lstrip("\ufeff \t\r\n")[:1]:
        case "[":
            return listing.of_catalogue(edition.parse(content.encode(), name))
        case "{":
            return litellm.listing(litellm.read(content, name))
        case _:
            return listing.of_catalogue(catalogue.snapshot(), book.parse(content))
