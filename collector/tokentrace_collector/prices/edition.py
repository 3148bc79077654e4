"""Editions of the catalogue other than the installed one: files, as genai-prices publishes its updates."""

from __future__ import annotations

import hashlib
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import types
from genai_prices.data_snapshot import DataSnapshot

from tokentrace_collector.prices.book import BookError

CATALOGUE = "TOKENTRACE_CATALOGUE"
"""In the environment: the file of the catalogue that is rated by, instead of the installed one."""


class CatalogueError(BookError):
    """A catalogue that cannot be taken at its word."""


def path() -> Path | None:
    """The file that the environment names; None where the installed catalogue is in use."""
    named = os.environ.get(CATALOGUE)
    return Path(named) if named else None


def name(installed: str) -> str:
    """What names the catalogue in use: the installed version, or equal content, equal name."""
    file = path()
    if file is None:
        return f"genai-prices {installed}"
    try:
        return f"genai-prices file {hashlib.sha256(file.read_bytes()).hexdigest()[:8]}"
    except OSError:
        # Whoever goes on to read it is told why that cannot be.
        return "genai-prices file unread"


def read(file: Path) -> DataSnapshot:
    """The catalogue in a file."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CatalogueError(f"The price catalogue {str(file)!r} cannot be read: {error}.") from error
    return parse(content, str(file))


def parse(content: bytes, where: str) -> DataSnapshot:
    """The catalogue that a JSON text is; `where` it comes from is told in errors."""
    try:
        # As written: a float would have lost digits before they are prices.
        providers: Any = json.loads(content, parse_float=Decimal)
        # The package has no public door for a file; its own updates go through this one.
        read_in = types._providers_from_raw(providers)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    except ValueError as error:
        raise CatalogueError(f"{where} is no catalogue of genai-prices: {error}") from error
    if not read_in:
        raise CatalogueError(f"{where} is a catalogue without any provider. Take another file.")
    return DataSnapshot(read_in, from_auto_update=False)
