"""The table of frameworks under other instrumentations in `sdk/README.md`, made of what `frameworks/peers/results.json` keeps.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_framework_peers_table.py` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from frameworks.peers.kept import kept
from frameworks.peers.known import FRAMEWORKS, OURS
from frameworks.peers.measure import Measured
from frameworks.peers.told import Told
from readme import STALE, standing

SHARES, COUNTS = ("input", "output", "reasoning", "cached"), ("refusals", "agents", "tools")
HEAD = ("framework", "who", "runs right", "calls", *SHARES, *COUNTS)
RIGHT = ("answers", "input", "output")


def table() -> str:
    """All that stands between the markers."""
    rows = [HEAD, ["---", "---", *["--:"] * (len(HEAD) - 2)], *map(_cells, kept())]
    releases = [_releases(framework.name) for framework in FRAMEWORKS]
    return "".join([*(f"| {' | '.join(row)} |\n" for row in rows), "\n", *releases])


def _cells(found: Measured) -> list[str]:
    runs = list(found.runs.values())
    right = sum(all(got == truth for got, truth in (run[name] for name in RIGHT)) for run in runs)
    calls, *counts = [_count(*_sums(runs, name)) for name in ("calls", *COUNTS)]
    shares = [_share(*_sums(runs, name)) for name in SHARES]
    return [_library(found), _who(found), f"{right} of {len(runs)}", calls, *shares, *counts]


def _sums(runs: Iterable[Told], name: str) -> tuple[int, int]:
    got, truth = zip(*(run[name] for run in runs), strict=True)
    return sum(got), sum(truth)


def _share(got: int, truth: int) -> str:
    return f"{got / truth * 100:.0f} %" if got else "·"


def _count(got: int, truth: int) -> str:
    return f"{got} of {truth}" if got else "·" * bool(truth)


def _library(found: Measured) -> str:
    return f"`{next(iter(found.releases))}`"


def _who(found: Measured) -> str:
    who = found.peer if found.parts == 1 else f"{found.peer}, the client's too"
    return f"{who} ({', '.join(f'`{module}`' for module in found.unusable)} fails)" if found.unusable else who


def _releases(framework: str) -> str:
    releases = {
        name: number for each in kept() if each.framework == framework for name, number in each.releases.items()
    }
    return f"* {', '.join(f'{name} {number}' for name, number in releases.items())}.\n"


def test_the_table_in_the_readme_follows_from_what_is_kept():
    assert standing("framework-peers", table()) == table(), STALE


def test_every_part_of_every_instrumentation_was_measured():
    ours = [(framework.name, OURS.name, 1) for framework in FRAMEWORKS]
    theirs = [
        (framework.name, peer.name, parts)
        for framework in FRAMEWORKS
        for peer in framework.peers
        for parts in range(1, len(peer.parts) + 1)
    ]
    assert sorted((each.framework, each.peer, each.parts) for each in kept()) == sorted([*ours, *theirs])


def test_ours_equals_the_truth():
    wrong = [
        (each.framework, name, what, got, truth)
        for each in kept()
        if each.peer == OURS.name
        for name, run in each.runs.items()
        for what, (got, truth) in run.items()
        if got != truth
    ]
    assert wrong == []
