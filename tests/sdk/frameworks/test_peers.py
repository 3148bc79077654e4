"""What other instrumentations tell of the runs of frameworks is still what `peers/results.json` keeps; ours equals the truth.

Which are there says the environment. `TOKENTRACE_REGENERATE=1` keeps what is found.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from frameworks.peers.kept import keep, kept, read
from frameworks.peers.known import FRAMEWORKS, OURS
from frameworks.peers.measure import Measured

SDK = Path(__file__).parents[1]
IS_KEEPING = os.environ.get("TOKENTRACE_REGENERATE") == "1"
HERE = [(framework.name, peer.name) for framework in FRAMEWORKS for peer in framework.here]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[Measured]]:
    """What each tells, here and now, in a process of its own."""
    paths = os.pathsep.join([str(SDK), str(SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
    apart = {
        "PYTHONPATH": paths,
        "TOKENTRACE_STRICT": "1",
        "CREWAI_STORAGE_DIR": str(tmp_path_factory.mktemp("crew")),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # Or the SDK of agents tells its makers of a run.
        "OPENAI_API_KEY": "",
    }
    found = {}
    for place in HERE:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "frameworks.peers", *place],
            capture_output=True, text=True, check=False, env=os.environ | apart,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        found[place] = read(ran.stdout)
    return found


@pytest.mark.skipif(not IS_KEEPING, reason="TOKENTRACE_REGENERATE=1 is not set")
def test_it_is_kept(measured):
    keep(each for found in measured.values() for each in found)


@pytest.mark.parametrize("place", HERE, ids="/".join)
def test_it_tells_what_it_did(place, measured):
    before = [each for each in kept() if (each.framework, each.peer) == place]
    assert measured[place] == before, "Keep it with TOKENTRACE_REGENERATE=1."


@pytest.mark.parametrize("place", [place for place in HERE if place[1] == OURS.name], ids="/".join)
def test_ours_equals_the_truth(place, measured):
    (ours,) = measured[place]
    for run in ours.runs.values():
        assert {name: got for name, (got, _) in run.items()} == {name: truth for name, (_, truth) in run.items()}
