"""How the terminal is spoken to: data on stdout, talk on stderr, and nothing of telemetry that could steer it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO

import click
from rich.console import Console

_STEERING = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # C0 and C1 controls
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # invisible, turning
    "\u2028\u2029\ud800-\udfff]+"  # line ends, lone surrogates
)
_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor
    "|(?:\x1b[]P_^X]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)?"  # titles, links, device strings
    "|\x1b[ -/]*[0-~]"
)


class Trouble(click.ClickException):
    """Why a command could not be carried out: what, with which value, and the remedy."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What lines and bars are drawn with."""

    branch: str
    last: str
    pipe: str
    cells: str
    """Bars from the thinnest to the full cell."""
    rule: str
    at_least: str
    about: str
    failed: str
    arrow: str


UNICODE = Glyphs(
    branch="├─ ", last="└─ ", pipe="│  ", cells="▏▎▍▌▋▊▉█", rule="─", at_least="≥", about="~", failed="✗", arrow="→"
)
ASCII = Glyphs(
    branch="|- ", last="`- ", pipe="|  ", cells="#", rule="-", at_least=">=", about="~", failed="x", arrow=">"
)


def plain(text: str) -> str:
    """Text from outside, made safe to print: no escape sequences, no control characters, no line breaks."""
    return _STEERING.sub(" ", _SEQUENCE.sub("", text)).strip()


def console(*, stderr: bool = False) -> Console:
    """Where to draw: plain without a terminal, colourless where NO_COLOR asks for it."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, highlight=False, markup=False, emoji=False, soft_wrap=False)


def written(file: TextIO) -> Console:
    """A file to draw into."""
    return Console(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)


def glyphs(screen: Console) -> Glyphs:
    """What this console's encoding can carry."""
    return UNICODE if screen.encoding.lower().startswith("utf") else ASCII


def say(text: str) -> None:
    """Talk to the user, beside the data."""
    click.echo(text, err=True)


def write_json(value: Any) -> None:
    """One JSON document on one line; ASCII alone, so that nothing in it can steer a terminal."""
    click.echo(json.dumps(value, separators=(", ", ": ")))


def write_json_lines(values: Iterable[Any]) -> None:
    """One JSON document a line."""
    for value in values:
        write_json(value)
