"""How other instrumentations tell of calls: `schemas/dialects.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from tokentrace_collector.files import root

_APART = ("cache", "reasoning")
_WHERE = ("provider", "model", "span", "scope", "has")
_PROVIDER = ("is", "never", "before")

DEPTH = 2
"""How many steps a key may go into a JSON text."""

_MOST = 63
"""How many dialects there may be: each is a bit of a number."""


class DialectError(Exception):
    """An entry of `dialects.yaml` that cannot be read."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of telling of a call, or one of its variants."""

    name: str
    keys: Mapping[str, list[str]]
    measured: bool
    scopes: list[str] = field(default_factory=list[str])
    attributes: list[str] = field(default_factory=list[str])
    sdk: str = ""
    where: Mapping[str, str] = field(default_factory=dict[str, str])
    provider: Mapping[str, Any] = field(default_factory=dict[str, Any])
    apart: list[str] = field(default_factory=list[str])
    calls: list[str] = field(default_factory=list[str])
    aggregates: list[str] = field(default_factory=list[str])
    operations: Mapping[str, str] = field(default_factory=dict[str, str])
    names: list[str] = field(default_factory=list[str])
    is_server: bool = False


@cache
def dialects() -> tuple[Dialect, ...]:
    """All of them, in the order in which a span is held against them."""
    said = _file()
    if len(said["dialects"]) > _MOST:
        raise DialectError(f"dialects.yaml has {len(said['dialects'])} dialects. There may be {_MOST}.")
    return tuple(_dialect(each, said) for each in said["dialects"])


@cache
def conventions() -> Mapping[str, list[str]]:
    """Where the conventions put each meaning."""
    keys: Mapping[str, list[str]] = _file()["keys"]
    return keys


@cache
def _file() -> dict[str, Any]:
    said: dict[str, Any] = yaml.safe_load((root() / "dialects.yaml").read_text(encoding="utf-8"))
    return said


def _dialect(entry: dict[str, Any], file: dict[str, Any]) -> Dialect:
    entry = dict(entry)
    own = dict(entry.pop("keys", {}))
    if "kind" in entry:
        own["kind"] = entry.pop("kind")
    aggregates = [*file["aggregates"], *entry.pop("aggregates", [])]
    try:
        read = Dialect(keys=file["keys"] | own, aggregates=aggregates, **entry)
    except TypeError as error:
        raise DialectError(f"The dialect {entry.get('name')!r} in dialects.yaml is not understood: {error}.") from error
    _refuse(read.name, "keys", own, file["keys"])
    _refuse(read.name, "where", read.where, _WHERE)
    _refuse(read.name, "provider", read.provider, _PROVIDER)
    _refuse(read.name, "apart", read.apart, _APART)
    _refuse(read.name, "keys", (key for keys in read.keys.values() for key in keys if not _is_readable(key)), ())
    return read


def _is_readable(key: str) -> bool:
    """Whether it can stand in a list of keys, and its steps be gone."""
    return not set(key) & {" ", "\n"} and len(key.partition("#")[2].split(".")) <= DEPTH


def _refuse(name: str, what: str, said: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(said) - set(known)):
        raise DialectError(f"The dialect {name!r} in dialects.yaml has unknown {what}: {', '.join(unknown)}.")
