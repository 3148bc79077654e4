"""A collector for all runs of a module."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from frameworks.books import Books, opened


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
