"""A statement as a client sends it: its format, and names of databases that mean the one it is in anyway."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?\*/)|(?P<text>'(?:[^'\\]|\\.|'')*')"""
    r"""|(?P<name>"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`)|(?P<word>\w+)|(?P<other>.)""",
    re.DOTALL,
)

_SETTING = re.compile(r"(?P<name>[a-z_0-9]+)=(?P<value>[\w.]+|'[\w./ -]*')(?:,|$)")
_SETTINGS = re.compile(f"(?:{_SETTING.pattern.replace('?P<name>', '?:').replace('?P<value>', '?:')})+")

_SHOWN = {
    ("SHOW", "DATABASES"): "SELECT name FROM system.databases ORDER BY name",
    ("SHOW", "TABLES"): "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What the engine is to answer. It is judged as it is written here, so nothing rests on how it came about."""

    sql: str
    form: str
    """The format that it names itself; empty if none."""
    settings: Mapping[str, str]
    """What it says of settings at its end."""


def read(text: str, homes: Collection[str], moved: Mapping[str, str]) -> Statement:
    """A statement without its format and settings; `homes` need not be named, `moved` tables have another name."""
    tokens = list(_TOKEN.finditer(text))
    while tokens and (tokens[-1].lastgroup == "space" or tokens[-1][0] == ";"):
        tokens.pop()
    form, tokens = _form(tokens)
    settings, tokens = _settings(tokens)
    form, tokens = (form, tokens) if form else _form(tokens)
    words = [_bare(token) for token in tokens if token.lastgroup != "space"]
    if shown := _shown(words, homes):
        tokens = list(_TOKEN.finditer(shown))
    return Statement(_rewritten(tokens, homes, moved), form, settings)


def _form(tokens: list[re.Match[str]]) -> tuple[str, list[re.Match[str]]]:
    places = [place for place, token in enumerate(tokens) if token.lastgroup != "space"][-2:]
    if len(places) == 2 and tokens[places[0]][0].upper() == "FORMAT" and tokens[places[1]].lastgroup == "word":  # noqa: PLR2004
        return tokens[places[1]][0], tokens[: places[0]]
    return "", tokens


def _settings(tokens: list[re.Match[str]]) -> tuple[dict[str, str], list[re.Match[str]]]:
    places = [place for place, token in enumerate(tokens) if token.lastgroup != "space"]
    begins = [place for place in places if tokens[place][0].upper() == "SETTINGS" and tokens[place].lastgroup == "word"]
    if not begins:
        return {}, tokens
    tail = "".join(tokens[place][0] for place in places if place > begins[-1])
    if not _SETTINGS.fullmatch(tail):
        return {}, tokens
    said = {each["name"]: each["value"].strip("'") for each in _SETTING.finditer(tail)}
    return said, tokens[: begins[-1]]


def _shown(words: list[str], homes: Collection[str]) -> str:
    """The SELECT of a SHOW."""
    found = _SHOWN.get((words[0].upper(), words[1].upper()), "") if len(words) > 1 else ""
    more = words[2:]
    if not more or (found and more[0].upper() in {"FROM", "IN"} and more[1:] and more[1] in homes and len(more) == 2):  # noqa: PLR2004
        return found
    return ""


def _rewritten(tokens: list[re.Match[str]], homes: Collection[str], moved: Mapping[str, str]) -> str:
    written: list[str] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        begins = token.lastgroup in {"word", "name"} and (not written or written[-1] != ".")
        dotted = place + 2 < len(tokens) and tokens[place + 1][0] == "." and tokens[place + 2].lastgroup in _NAMES
        if begins and dotted:
            database, table = _bare(token), _bare(tokens[place + 2])
            if f"{database}.{table}" in moved:
                written.append(moved[f"{database}.{table}"])
                place += 3
                continue
            if database in homes:
                place += 2
                continue
        written.append(token[0])
        place += 1
    return "".join(written)


_NAMES = frozenset({"word", "name"})


def _bare(token: re.Match[str]) -> str:
    return token[0][1:-1] if token.lastgroup == "name" else token[0]
