"""The table of other instrumentations in `sdk/README.md`, made of what `tests/sdk/behaviour/peers/results.json` keeps.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_peers_table.py` writes it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from behaviour.doors.all import DOORS
from behaviour.peers.kept import cause, kept
from behaviour.peers.known import PEERS
from behaviour.peers.measure import Measured, scenarios
from readme import STALE, standing

KINDS = {"records": "one record", "result": "result the same", "context": "context clean"}
SILENT = {"tokens: no span", "tokens: not told"}
NAMES = [peer.name for peer in PEERS]


def table() -> str:
    """All that stands between the markers."""
    found = {name: [each for each in kept().values() if each.peer == name] for name in NAMES}
    heads = ["", "scenarios", "tokens right", "wrong", "not told", *KINDS.values()]
    rows = [[name, *_counts(found[name])] for name in NAMES]
    causes = sorted({fault for each in found.values() for fault in _causes(each)})
    by_cause = [[fault, *(str(_causes(found[name])[fault] or "·") for name in NAMES)] for fault in causes]
    lines = [_row(heads), _row(["---", *["--:"] * (len(heads) - 1)]), *map(_row, rows), ""]
    lines += [_row(["", *NAMES]), _row(["---", *["--:"] * len(NAMES)]), *map(_row, by_cause), ""]
    return "\n".join([*lines, *(f"* {name}: {_releases(found[name])}." for name in NAMES[1:]), ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _every(found: Iterable[Measured]) -> list[set[str]]:
    return [{cause(fault) for fault in faults} for each in found for faults in each.scenarios.values()]


def _causes(found: Iterable[Measured]) -> Counter[str]:
    return Counter(fault for faults in _every(found) for fault in faults)


def _counts(found: list[Measured]) -> list[str]:
    every = _every(found)
    silent = sum(bool(faults & SILENT) for faults in every)
    wrong = sum(any(fault.startswith("tokens:") for fault in faults - SILENT) for faults in every)
    wrong += sum("result: the application hangs" in faults for faults in every)
    clean = [sum(not any(fault.startswith(kind) for fault in faults) for faults in every) for kind in KINDS]
    return [str(count) for count in (len(every), len(every) - silent - wrong, wrong, silent, *clean)]


def _releases(found: Iterable[Measured]) -> str:
    clients = {each.door: " with ".join(f"{name} {number}" for name, number in each.releases.items()) for each in found}
    return "; ".join(dict.fromkeys(clients.values()))


def test_the_table_in_the_readme_follows_from_what_is_kept():
    assert standing("peers", table()) == table(), STALE


def test_every_instrumentation_was_measured_with_every_client_and_in_every_scenario():
    expected = {
        (peer.name, door.name): {each.name for each in scenarios(door)}
        for peer in PEERS
        for door in DOORS
        if door.name in peer.doors
    }
    assert {place: set(each.scenarios) for place, each in kept().items()} == expected


def test_ours_is_without_fault():
    ours = [each for each in kept().values() if each.peer == "tokentrace"]
    assert [fault for each in ours for faults in each.scenarios.values() for fault in faults] == []
    assert len(ours) == len(DOORS)
