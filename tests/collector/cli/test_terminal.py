"""Telemetry may say anything; the terminal must not obey it."""

import json

import pytest

from tokentrace_collector.cli import terminal

HOSTILE = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "cleared screen": ("a\x1b[2J\x1b[Hb", "ab"),
    "eight-bit sequence": ("a\x9b31mb", "ab"),
    "window title": ("\x1b]0;owned\x07name", "name"),
    "title ended by ST": ("\x1b]2;owned\x1b\\name", "name"),
    "unfinished title": ("name\x1b]0;owned", "name"),
    "hyperlink": ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
    "device string": ("\x1bP1$r0m\x1b\\name", "name"),
    "clipboard": ("\x1b]52;c;ZXZpbA==\x07name", "name"),
    "reset": ("\x1bcname", "name"),
    "lone escape": ("na\x1b", "na"),
    "nested sequences": ("\x1b[\x1b[31mx", "x"),
    "carriage return": ("honest\rfraud", "honest fraud"),
    "line breaks and tabs": ("a\r\n\tb", "a b"),
    "backspace": ("abc\x08\x08\x08xyz", "abc xyz"),
    "null": ("a\x00b", "a b"),
    "right to left": ("invoice\u202egpj.exe", "invoice gpj.exe"),
    "isolates": ("\u2066a\u2069", "a"),
    "invisible": ("a\u200bb\ufeff", "a b"),
    "tags": ("a\U000e0041b", "a b"),
    "line separator": ("a\u2028b", "a b"),
    "lone surrogate": ("a\ud83db", "a b"),
    "delete": ("a\x7fb", "a b"),
    "other scripts": ("größe 价格 😀", "größe 价格 😀"),
    "markup": ("[red]not red[/red]", "[red]not red[/red]"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_text_from_outside_is_made_safe(name):
    hostile, safe = HOSTILE[name]
    assert terminal.plain(hostile) == safe


@pytest.mark.parametrize("name", HOSTILE)
def test_json_is_ascii_and_loses_nothing(name, capsys):
    terminal.write_json({"name": HOSTILE[name][0]})
    written = capsys.readouterr().out
    assert (json.loads(written)["name"], written.isascii(), "\x1b" in written) == (HOSTILE[name][0], True, False)
