"""The database of the collector's tests: one engine per worker, one database per test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tokentrace_collector import schema
from tokentrace_collector.store import Store

_numbers = count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of the one embedded engine this process may have, kept open for the session."""
    directory = tmp_path_factory.mktemp("store")
    anchor = Store.open(f"chdb://{directory}")
    yield directory
    anchor.close()


@pytest.fixture
def empty_store(engine: Path) -> Iterator[Store]:
    """A store whose database does not exist yet."""
    opened = Store.open(f"chdb://{engine}?database=test_{next(_numbers)}")
    yield opened
    opened.drop_database()
    opened.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A store with all tables, empty."""
    schema.apply(empty_store)
    return empty_store
