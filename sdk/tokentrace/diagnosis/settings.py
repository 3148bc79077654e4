"""The settings of the SDK, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from tokentrace.config import Config
from tokentrace.diagnosis.report import Setting

_ROUTE = {"endpoint", "protocol", "headers"}


def found(config: Config, origins: Mapping[str, str], *, sends_otlp: bool) -> Iterator[Setting]:
    """Every setting that has a value, and is of use."""
    for each in fields(config):
        value = getattr(config, each.name)
        if value is not None and value != {} and value is not False and (sends_otlp or each.name not in _ROUTE):
            yield Setting(each.name, shown(each.name, value), origins.get(each.name, "default"))


def shown(name: str, value: Any) -> str:
    """A value without its secrets."""
    if name == "headers":
        return ", ".join(f"{key}=…" for key in value)
    if name in {"hosts", "tags"}:
        return ", ".join(f"{key}={each}" for key, each in value.items())
    return address(value) if name == "endpoint" else str(value)


def address(url: str) -> str:
    """A URL without a password."""
    parts = urlsplit(url)
    return url.replace(f"{parts.netloc.rpartition('@')[0]}@", "…@", 1) if "@" in parts.netloc else url
