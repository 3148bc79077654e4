"""What was found once, and is found again by whoever looks: `results.json`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from packaging.version import Version

from behaviour.doors.all import DOORS
from behaviour.peers.known import PEERS
from behaviour.peers.measure import Measured, modes, scenarios

RESULTS = Path(__file__).with_name("results.json")
_MODES = re.compile(r"(.*?)(?: \(([a-z, ]+)\))?")


def kept() -> dict[tuple[str, str], Measured]:
    """Everything that is kept, by instrumentation and client."""
    told = (Measured(**each) for each in json.loads(RESULTS.read_text()))
    return {(each.peer, each.door): each for each in told}


def keep(measured: Iterable[Measured]) -> None:
    """Put what was found in the place of what was kept of the same instrumentation and client."""
    every = kept() | {(each.peer, each.door): each for each in measured}
    places = [(peer.name, door.name) for peer in PEERS for door in DOORS]
    RESULTS.write_text("[\n" + ",\n".join(_text(every[place]) for place in places if place in every) + "\n]\n")


def is_older(releases: Mapping[str, str], than: Mapping[str, str]) -> bool:
    """Whether what is kept comes from newer releases, of another environment."""
    return any(Version(releases[name]) < Version(than[name]) for name in releases if name in than)


def in_one_mode(measured: Measured) -> dict[str, set[str]]:
    """What is kept of each scenario, as it is found by whoever plays it in its first mode only."""
    (door,) = (door for door in DOORS if door.name == measured.door)
    first = {each.name: modes(each, door)[0] for each in scenarios(door)}
    return {name: _of(faults, first[name]) for name, faults in measured.scenarios.items()}


def cause(fault: str) -> str:
    """A fault without the modes in which it shows."""
    return _split(fault)[0]


def _of(faults: Iterable[str], mode: str) -> set[str]:
    return {told for told, those in map(_split, faults) if not those or mode in those.split(", ")}


def _split(fault: str) -> tuple[str, str]:
    match = _MODES.fullmatch(fault)
    assert match
    return match[1], match[2] or ""


def _text(measured: Measured) -> str:
    """One line per scenario, so that a change shows what it changes."""
    head = {name: value for name, value in asdict(measured).items() if name != "scenarios"}
    rows = [f"  {_json(name)}: {_json(faults)}" for name, faults in sorted(measured.scenarios.items())]
    return f'{_json(head)[:-1]}, "scenarios": {{\n' + ",\n".join(rows) + "\n}}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
