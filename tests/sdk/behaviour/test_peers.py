"""What other instrumentations record of the scenarios is still what `peers/results.json` keeps; ours is without fault.

Which are there says the environment. `TOKENTRACE_REGENERATE=1` keeps what is found, in all modes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from behaviour.peers.kept import in_one_mode, is_older, keep, kept
from behaviour.peers.measure import Measured, here, releases

SDK = Path(__file__).parents[1]
IS_KEEPING = os.environ.get("TOKENTRACE_REGENERATE") == "1"
HERE = {(peer.name, door.name): releases(peer, door) for peer, door in here()}
VARYING = {
    # Its callbacks run in the loop of the application, which may end before them.
    ("LiteLLM", "`anyio` task group"),
    # It reads an answer of boto3 along in the code of the application, where an interrupt may come between two of its lines.
    ("OpenInference", "Ctrl-C in mid-stream"),
}
"""Where what an instrumentation records depends on how fast the machine is."""
PLACES = [place for place, found in HERE.items() if place not in kept() or not is_older(found, kept()[place].releases)]


def _measured(places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Measured]:
    paths = os.pathsep.join([str(SDK), str(SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "behaviour.peers", *([] if IS_KEEPING else ["--once"]), *map("/".join, places)],
        capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": paths, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = (Measured(**json.loads(line)) for line in ran.stdout.splitlines())
    return {(each.peer, each.door): each for each in found}


@pytest.fixture(scope="module")
def measured() -> dict[tuple[str, str], Measured]:
    """What each has recorded, here and now."""
    found = _measured(PLACES)
    # On a machine that is busy an instrumentation may be late for once.
    late = [] if IS_KEEPING else [place for place in PLACES if _changes(found[place])]
    return found | _measured(late) if late else found


def _changes(found: Measured) -> list[str]:
    before = in_one_mode(kept()[found.peer, found.door])
    now = {name: set(faults) for name, faults in found.scenarios.items()}
    changed = [name for name in now if now[name] != before.get(name) and (found.peer, name) not in VARYING]
    return [f"{name}: {now[name]}, not {before.get(name)}" for name in changed]


@pytest.mark.skipif(not IS_KEEPING, reason="TOKENTRACE_REGENERATE=1 is not set")
def test_it_is_kept(measured):
    keep(measured.values())


@pytest.mark.parametrize("place", PLACES, ids="/".join)
def test_it_records_what_it_did(place, measured):
    assert place in kept(), "Nothing is kept of it. Keep it with TOKENTRACE_REGENERATE=1."
    assert measured[place].releases == kept()[place].releases
    if not IS_KEEPING:
        assert _changes(measured[place]) == [], "Keep it with TOKENTRACE_REGENERATE=1."
