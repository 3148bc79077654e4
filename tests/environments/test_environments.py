"""The shapes of calls, with the oldest and the newest releases of the clients.

The newest ones are part of the main environment, where `tests/sdk/clients` runs by itself.
`TOKENTRACE_REGENERATE=1 pytest tests/environments` resolves the environments anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT, KEEP = ("PYTEST_", "OTEL_", "TOKENTRACE_"), "TOKENTRACE_REGENERATE"
ALONE = ("-o", "addopts=--import-mode=importlib")
"""An environment has pytest and nothing to run it on several cores with."""


@pytest.mark.skipif(os.environ.get("TOKENTRACE_REGENERATE") != "1", reason="TOKENTRACE_REGENERATE=1 is not set")
def test_the_environments_are_resolved(environment):
    environment.lock()


def test_an_environment_is_what_it_says(environment):
    assert set(environment.pins) <= set(environment.locked)


def test_every_shape_counts_once(environment):
    run = subprocess.run(
        [
            environment.python(),
            "-m",
            "pytest",
            *environment.tests,
            "-q",
            "--tb=short",
            "-p",
            "no:cacheprovider",
            *ALONE,
        ],
        cwd=ROOT,
        env={
            **{key: value for key, value in os.environ.items() if key == KEEP or not key.startswith(LEFT_OUT)},
            # No environment of a library has the collector, whose own libraries may not go with it.
            "COLLECTOR_PYTHON": sys.executable,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        pytest.fail(f"With {', '.join(environment.pins)}:\n{run.stdout}{run.stderr}", pytrace=False)
