"""How other instrumentations tell of calls: `schemas/dialects.yaml`, as expressions over a raw span."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from tokentrace_collector.files import root

_APART = ("cache", "reasoning")
_WHERE = ("provider", "model", "span", "scope", "has")
_PROVIDER = ("is", "never", "before")


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
    return tuple(_dialect(each, said) for each in said["dialects"])


@cache
def expressions() -> Mapping[str, str]:
    """The SQL of everything the data decides, by name; `told` is what a span has of `told_keys`, `kind` its kind."""
    named = {meaning: _meaning(meaning) for meaning in conventions() if meaning != "provider"}
    return named | {
        "told_keys": _texts(sorted(_keys())),
        "reading": _reading(),
        "name": _transformed("reading", [(str(number), _text(each.name)) for number, each in _numbered()], "''"),
        "provider": _grouped(_provider),
        "cache_apart": _which(lambda each: "cache" in each.apart),
        "reasoning_apart": _which(lambda each: "reasoning" in each.apart),
        "is_aggregate": _grouped(_aggregate),
        "operation_of_kind": _grouped(_operation),
    }


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
    return read


def _refuse(name: str, what: str, said: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(said) - set(known)):
        raise DialectError(f"The dialect {name!r} in dialects.yaml has unknown {what}: {', '.join(unknown)}.")


def _numbered() -> list[tuple[int, Dialect]]:
    return list(enumerate(dialects(), 1))


def _keys() -> set[str]:
    """Every attribute that is looked at."""
    found = {"telemetry.sdk.name"}
    for each in dialects():
        named = [*each.attributes, *(key for keys in each.keys.values() for key in keys)]
        found |= {_attribute(key) for key in [*named, each.where.get("has", "telemetry.sdk.name")]}
    return found


def _attribute(key: str) -> str:
    return key.partition("#")[0].removeprefix("repr(").removesuffix(")")


def _value(key: str) -> str:
    """The text of one key: of an attribute, or of a place inside of it."""
    attribute, _, path = key.partition("#")
    value = f"told[{_text(_attribute(key))}]"
    if not path:
        return value
    if attribute.startswith("repr("):
        value = f"replaceAll(replaceAll({value}, '\\'', '\"'), 'None', 'null')"
    steps = ", ".join(_text(step) for step in path.split("."))
    return f"JSONExtract({value}, {steps}, 'String')"


def _coalesced(keys: list[str]) -> str:
    """The first of the keys that is there, as text; empty where none is."""
    if not keys:
        return "''"
    values = [_value(key) for key in keys]
    pairs = "".join(f"{each} != '', {each}, " for each in values[:-1])
    return f"multiIf({pairs}{values[-1]})" if pairs else values[-1]


def _fits(each: Dialect) -> str:
    exact = [scope for scope in each.scopes if not scope.endswith("*")]
    any_of = [f"ScopeName IN ({_texts(exact)})"] if exact else []
    any_of += [f"startsWith(ScopeName, {_text(scope[:-1])})" for scope in each.scopes if scope.endswith("*")]
    any_of += [f"mapContains(told, {_text(key)})" for key in each.attributes]
    if each.sdk:
        sdk = _text(each.sdk)
        any_of += [f"told['telemetry.sdk.name'] = {sdk}", f"ResourceAttributes['telemetry.sdk.name'] = {sdk}"]
    return " AND ".join([f"({' OR '.join(any_of)})", *(_where(each, what, said) for what, said in each.where.items())])


def _where(each: Dialect, what: str, said: str) -> str:
    if what == "has":
        return f"{_value(said)} != ''"
    if what == "span":
        return f"SpanName = {_text(said)}"
    where = {"scope": "ScopeName", "provider": _coalesced(each.keys["provider"])}
    where["model"] = _coalesced([*each.keys["response_model"], *each.keys["request_model"]])
    return f"match(lower({where[what]}), {_text(said)})"


def _provider(each: Dialect) -> str:
    if "is" in each.provider:
        return _text(each.provider["is"])
    said = _coalesced(each.keys["provider"])
    if "before" in each.provider:
        return f"splitByChar({_text(each.provider['before'])}, {said})[1]"
    if "never" in each.provider:
        return f"if({said} IN ({_texts(each.provider['never'])}), '', {said})"
    return said


def _aggregate(each: Dialect) -> str:
    if each.is_server:
        return "1"
    kinds = f"kind NOT IN ('', {_texts(each.calls)})" if each.calls else f"kind IN ({_texts(each.aggregates)})"
    return f"({kinds} OR SpanName IN ({_texts(each.names)}))" if each.names else kinds


def _operation(each: Dialect) -> str:
    if not each.operations:
        return "''"
    return _transformed("kind", [(_text(kind), _text(name)) for kind, name in each.operations.items()], "''")


def _meaning(meaning: str) -> str:
    return _grouped(lambda each: _coalesced(each.keys[meaning]))


def _grouped(of: Callable[[Dialect], str]) -> str:
    """One branch for all dialects that agree, for spans that have a dialect."""
    groups: dict[str, list[int]] = {}
    for number, each in _numbered():
        groups.setdefault(of(each), []).append(number)
    *branches, last = [(f"reading IN ({', '.join(map(str, numbers))})", sql) for sql, numbers in groups.items()]
    told = "".join(f"{condition}, {sql}, " for condition, sql in branches)
    return f"multiIf({told}{last[1]})" if told else last[1]


def _reading() -> str:
    """The number of the first dialect that a span fits; 0 where it fits none."""
    branches = "".join(f"{_fits(each)}, {number}, " for number, each in _numbered())
    return f"multiIf({branches}0)"


def _which(condition: Callable[[Dialect], bool]) -> str:
    return f"reading IN ({', '.join(str(number) for number, each in _numbered() if condition(each))})"


def _transformed(what: str, pairs: list[tuple[str, str]], other: str) -> str:
    return f"transform({what}, [{', '.join(a for a, _ in pairs)}], [{', '.join(b for _, b in pairs)}], {other})"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(_text(each) for each in values)


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
