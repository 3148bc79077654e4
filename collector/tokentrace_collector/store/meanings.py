"""What other instrumentations mean, as SQL over a raw span: made of `dialects`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

import yaml

from tokentrace_collector.files import root
from tokentrace_collector.store.dialects import DEPTH, Dialect, conventions, dialects


@cache
def expressions() -> Mapping[str, str]:
    """The SQL of what the data decides, by name; `told` is what a span has of `told_keys`, `theirs` what they mean.

    The engine analyses a statement anew at every insert, and takes long for each function in it. So what the data says
    stands in a few long constants, and not in branches.
    """
    return {
        "told_keys": _texts(sorted(_keys())),
        "reading": _reading(),
        "theirs": _theirs(),
        "convention": _by_number("reading", {number: each.name for number, each in _numbered()}),
        "provider": _provider(),
        "known_provider": _known_provider(),
        "operation_of_kind": _operation_of_kind(),
        "is_aggregate": _is_aggregate(),
        "cache_apart": _which(lambda each: "cache" in each.apart),
        "reasoning_apart": _which(lambda each: "reasoning" in each.apart),
    }


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


def _listed(keys: Iterable[str]) -> str:
    """Keys as one text, in which `a#b.c` is `a#b#c`, and `repr(a)#b` is `a#b##repr`."""
    return " ".join(_stepped(key) for key in keys)


def _stepped(key: str) -> str:
    attribute, _, path = key.partition("#")
    steps = path.split(".") if path else []
    steps += [""] * (DEPTH - len(steps))
    is_python = attribute.startswith("repr(")
    return "#".join([_attribute(key), *steps, "repr" if is_python else ""]).rstrip("#")


def _first(listed: str) -> str:
    """The first of listed keys that is there, as text; empty where none is."""
    json = "if(steps[4] = '', told[steps[1]], replaceAll(replaceAll(told[steps[1]], '\\'', '\"'), 'None', 'null'))"
    value = (
        "multiIf(length(steps) = 1, told[steps[1]], "
        f"steps[3] = '', JSONExtract({json}, steps[2], 'String'), JSONExtract({json}, steps[2], steps[3], 'String'))"
    )
    keys = f"arrayMap(key -> splitByChar('#', key), splitByChar(' ', {listed}))"
    return f"arrayFirst(value -> value != '', arrayMap(steps -> {value}, {keys}))"


def _theirs() -> str:
    """The text of each meaning, by its name."""
    lists = {number: "\n".join(_listed(each.keys[name]) for name in conventions()) for number, each in _numbered()}
    values = f"arrayMap(listed -> {_first('listed')}, splitByChar('\\n', {_by_number('reading', lists)}))"
    return f"mapFromArrays([{_texts(conventions())}], {values})"


def _reading() -> str:
    """The number of the first dialect that a span fits; 0 where it fits none."""
    scopes = _marks(lambda each: [scope for scope in each.scopes if not scope.endswith("*")])
    beginnings = _marks(lambda each: [scope[:-1] for scope in each.scopes if scope.endswith("*")])
    attributes = _marks(lambda each: each.attributes)
    kits = _marks(lambda each: [each.sdk] if each.sdk else [])
    kit = "[told['telemetry.sdk.name'], ResourceAttributes['telemetry.sdk.name']]"
    marked = (
        f"[{_transformed('ScopeName', scopes, '0')}]",
        f"arrayMap((text, mark) -> if(startsWith(ScopeName, text), mark, 0), {_arrays(beginnings)})",
        f"arrayMap(key -> {_transformed('key', attributes, '0')}, mapKeys(told))",
        f"arrayMap(name -> {_transformed('name', kits, '0')}, {kit})",
    )
    numbers = f"bitPositionsToArray(arrayReduce('groupBitOr', arrayConcat({', '.join(marked)})))"
    return f"arrayFirst(number -> {_fits()}, {numbers})"


def _marks(of: Callable[[Dialect], Iterable[str]]) -> dict[str, str]:
    """The dialects that a name is a mark of, as bits."""
    marks: dict[str, int] = {}
    for number, each in _numbered():
        for name in of(each):
            marks[name] = marks.get(name, 0) | 1 << number
    return {_text(name): f"toUInt64({bits})" for name, bits in marks.items()}


def _fits() -> str:
    """Whether a span that has a mark of a dialect, by its number, fits what else that one wants."""
    tests = {number: list(_tests(each)) for number, each in _numbered()}
    lists = {number: "\n".join(listed for listed, _ in said) for number, said in tests.items() if said}
    patterns = {number: "\n".join(pattern for _, pattern in said) for number, said in tests.items() if said}
    scopes = {number: each.where["scope"] for number, each in _numbered() if "scope" in each.where}
    spans = {number: each.where["span"] for number, each in _numbered() if "span" in each.where}
    split = ", ".join(f"splitByChar('\\n', {_by_number('number', said)})" for said in (lists, patterns))
    return (
        f"match(lower(ScopeName), {_by_number('number', scopes)}) "
        f"AND SpanName = {_by_number('number', spans, 'SpanName')} "
        f"AND arrayAll((listed, pattern) -> match(lower({_first('listed')}), pattern), {split})"
    )


def _tests(each: Dialect) -> Iterator[tuple[str, str]]:
    """Keys, and the pattern of the first of them that is there."""
    for what, said in each.where.items():
        if what == "provider":
            yield _listed(each.keys["provider"]), said
        elif what == "model":
            yield _listed([*each.keys["response_model"], *each.keys["request_model"]]), said
        elif what == "has":
            yield _listed([said]), "(?s)."


def _provider() -> str:
    said = "theirs['provider']"
    given = {number: each.provider["is"] for number, each in _numbered() if "is" in each.provider}
    signs = {number: each.provider["before"] for number, each in _numbered() if "before" in each.provider}
    never = [(number, name) for number, each in _numbered() for name in each.provider.get("never", ())]
    other = f"if({_among(said, never)}, '', {said})"
    for number, sign in signs.items():
        other = f"if(reading = {number}, splitByChar({_text(sign)}, {said})[1], {other})"
    return _by_number("reading", given, other)


def _known_provider() -> str:
    """A provider by its name in the registry, whatever others call it; one that is not in there as it is told."""
    registry = yaml.safe_load((root() / "registry" / "providers.yaml").read_text(encoding="utf-8"))
    names = {name: each["name"] for each in registry["providers"] for name in (each["name"], *each["aliases"])}
    pairs = {_text(name.lower()): _text(known) for name, known in names.items()}
    return _transformed("lower(told_provider)", pairs, "told_provider")


def _operation_of_kind() -> str:
    named = {_pair(number, kind): _text(name) for number, each in _numbered() for kind, name in each.operations.items()}
    return _transformed("concat(toString(reading), ' ', kind)", named)


def _is_aggregate() -> str:
    lists = {number: "\n".join(each.calls or each.aggregates) for number, each in _numbered()}
    usual = max(lists.values(), key=list(lists.values()).count)
    others = {number: kinds for number, kinds in lists.items() if kinds != usual}
    is_listed = f"has(splitByChar('\\n', {_by_number('reading', others, _text(usual))}), kind)"
    calls = _which(lambda each: bool(each.calls))
    names = [(number, name) for number, each in _numbered() for name in each.names]
    # Either the calls are listed, or what is none.
    return (
        f"({_which(lambda each: each.is_server)} OR {_among('SpanName', names)} "
        f"OR (kind != '' AND {is_listed} != {calls}))"
    )


def _which(condition: Callable[[Dialect], bool]) -> str:
    """Whether the dialect of a span is one of those."""
    return f"has([{', '.join(str(number) for number, each in _numbered() if condition(each))}], reading)"


def _among(text: str, pairs: Iterable[tuple[int, str]]) -> str:
    """Whether a dialect and a text are one of these pairs."""
    return f"has([{', '.join(_pair(*pair) for pair in pairs)}], concat(toString(reading), ' ', {text}))"


def _pair(number: int, text: str) -> str:
    return _text(f"{number} {text}")


def _by_number(number: str, texts: Mapping[int, str], other: str = "''") -> str:
    """A text that the dialect of a number decides."""
    return _transformed(number, {str(each): _text(text) for each, text in texts.items()}, other)


def _transformed(what: str, pairs: Mapping[str, str], other: str = "''") -> str:
    return f"transform({what}, {_arrays(pairs)}, {other})" if pairs else other


def _arrays(pairs: Mapping[str, str]) -> str:
    return f"[{', '.join(pairs)}], [{', '.join(pairs.values())}]"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(_text(each) for each in values)


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
