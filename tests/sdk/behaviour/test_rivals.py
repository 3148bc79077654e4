"""With another instrumentation in the same process our calls still count once, and neither it nor the application sees us.

Each runs in a process of its own, for not all of them can be taken back. Which are there says the environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from behaviour.rivals.known import KNOWN

SDK = Path(__file__).parents[1]
CASES = [
    pytest.param(rival, order, id=f"{rival.name}-{order}")
    for rival in KNOWN
    if rival.is_installed
    for order in ("first", "last")
]


def test_a_rival_is_told_once():
    assert len({rival.name for rival in KNOWN}) == len(KNOWN)


@pytest.mark.parametrize(("rival", "order"), CASES)
def test_a_rival_changes_nothing_of_ours_and_we_nothing_of_its(rival, order):
    paths = os.pathsep.join([str(SDK), str(SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "behaviour.rivals.together", rival.name, order],
        capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": paths, "TOKENTRACE_STRICT": "1"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr

    cases, wrong = json.loads(ran.stdout.splitlines()[-1])
    assert (cases > 5, wrong) == (True, [])
