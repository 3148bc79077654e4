"""A collector for all runs of a module."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

from frameworks.books import Books, opened

SILENCED = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TESTING": "true",
    "CREWAI_TRACING_ENABLED": "false",
}
"""What frameworks would tell their makers of a run; they ask when they are imported."""
os.environ.update(SILENCED)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """What the collector makes of spans."""
    with opened(tmp_path_factory.mktemp("collector")) as kept:
        yield kept


@pytest.fixture(scope="module")
def swept() -> Iterator[None]:
    """What a framework leaves open is told of with the tests that have left it, and not when all are done."""
    yield
    gc.collect()
