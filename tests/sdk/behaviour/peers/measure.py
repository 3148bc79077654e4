"""Plays every scenario with every instrumentation that this environment has, and says what is wrong with each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from behaviour.door import Door, Settings
from behaviour.doors.all import DOORS
from behaviour.peers.judge import faults
from behaviour.peers.known import PEERS
from behaviour.peers.process import Case, Found, run
from behaviour.peers.releases import release
from behaviour.play import Scenario
from behaviour.rivals.rival import Rival
from behaviour.scenarios.all import SCENARIOS

AT_ONCE = 6
"""Processes that play: most of the time they wait."""
LEAVING = "uninstrumented in mid-stream"
"""A scenario after which nothing is as it was: it comes last, and once."""
NO_WAY_BACK = "result: cannot be switched off"
ELSEWHERE = ("trio",)
"""Scenarios that need what not every environment has."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is wrong with each scenario of a client, and with which releases."""

    peer: str
    door: str
    releases: dict[str, str]
    scenarios: dict[str, list[str]]


def scenarios(door: Door) -> list[Scenario]:
    """Those of a door, in the order in which they are played."""
    of = [each for each in SCENARIOS if each.is_of(door) and each.name not in ELSEWHERE]
    return sorted(of, key=lambda each: each.name == LEAVING)


def here() -> list[tuple[Rival, Door]]:
    """Every instrumentation of this environment with every client that it instruments."""
    return [(peer, door) for door in DOORS for peer in PEERS if peer.is_installed and peer.is_of(door)]


def releases(peer: Rival, door: Door) -> dict[str, str]:
    """The client, and what instruments it."""
    return dict(release(module) for module in (door.module, peer.doors[door.name]) if module != "tokentrace")


def measure(wanted: Iterable[tuple[Rival, Door]], *, once: bool = False) -> Iterator[Measured]:
    """What is wrong with each, as it is found, in all modes or once in the first."""
    names = [(peer.name, door.name) for peer, door in wanted]
    doors = list(dict.fromkeys(door for _, door in names))
    for name in doors:
        # What a client imports when it is made is imported once.
        _door(name).client(Settings("http://127.0.0.1:9", _door(name).modes[0]))
    with multiprocessing.get_context("fork").Pool(AT_ONCE) as pool:
        bare = dict(zip(doors, pool.map(partial(_bare, once), doors, chunksize=1), strict=True))
        yield from pool.imap(partial(_measure, once, bare), names, chunksize=1)


def _door(name: str) -> Door:
    (door,) = (door for door in DOORS if door.name == name)
    return door


def modes(scenario: Scenario, door: Door) -> list[str]:
    """The modes in which a scenario is played through a door."""
    each = [mode for mode in scenario.modes if mode in door.modes]
    return each[:1] if scenario.name == LEAVING else each


def _cases(door: Door, *, once: bool) -> list[Case]:
    return [Case(door, each, mode) for each in scenarios(door) for mode in modes(each, door)[: 1 if once else None]]


def _bare(once: bool, door: str) -> list[Found]:
    cases = _cases(_door(door), once=once)
    return [found or _bare_again(case) for case, found in zip(cases, run(None, cases), strict=True)]


def _bare_again(case: Case) -> Found:
    """What a case comes to that hung: by itself, as on a machine that is busy an interrupt may come where it ends all."""
    for _ in range(3):
        if found := next(run(None, [case])):
            return found
    raise ChildProcessError(
        f"{case.door.name}, {case.scenario.name}, {case.mode}: it hangs without an instrumentation."
    )


def _measure(once: bool, bare: Mapping[str, list[Found]], names: tuple[str, str]) -> Measured:
    (peer,), door = (peer for peer in PEERS if peer.name == names[0]), _door(names[1])
    cases = [case for case in _cases(door, once=once) if peer.goes or case.scenario.name != LEAVING]
    found: dict[str, dict[str, list[str]]] = {} if peer.goes else {LEAVING: {"": [NO_WAY_BACK]}}
    for case, plain, theirs in zip(cases, bare[door.name], run(peer, cases), strict=False):
        found.setdefault(case.scenario.name, {})[case.mode] = faults(case, plain, theirs)
    return Measured(*names, releases(peer, door), {name: _merged(each) for name, each in sorted(found.items())})


def _merged(found: Mapping[str, list[str]]) -> list[str]:
    """What is wrong in all modes, and what in one of them, which is then named."""
    where: dict[str, list[str]] = {}
    for mode, each in found.items():
        for fault in each:
            where.setdefault(fault, []).append(mode)
    return [fault if len(those) == len(found) else f"{fault} ({', '.join(those)})" for fault, those in where.items()]
