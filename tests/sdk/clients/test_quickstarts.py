"""Code that users copy gives the same result when it is metered, and its calls count once."""

from __future__ import annotations

import gc
import warnings
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path

import pytest
from quickstarts.quickstart import Client, take
from shapes.record import said

OTHERS = frozenset({"__init__", "loopback", "quickstart"})
CLIENTS: tuple[Client, ...] = tuple(
    import_module(f"quickstarts.{path.stem}").CLIENT
    for path in sorted(Path(__file__).with_name("quickstarts").glob("*.py"))
    if path.stem not in OTHERS
)

# What a release has is seen by importing it, and old ones warn of what they do.
with warnings.catch_warnings(action="ignore"):
    CASES = [
        pytest.param(quickstart, id=f"{client.library}-{quickstart.name}")
        for client in CLIENTS
        if client.is_installed
        for quickstart in client.quickstarts
        if quickstart.needs is None or quickstart.needs()
    ]


@pytest.mark.filterwarnings("ignore")  # Of the clients' own making: what users see, they see without us.
@pytest.mark.parametrize("quickstart", CASES)
def test_a_quickstart_stays_what_it_was_and_counts_once(metering, quickstart):
    with ExitStack() as stack:
        began = []
        bare = take(quickstart)
        metered = take(quickstart, lambda: began.append(stack.enter_context(metering())))
        gc.collect()
        assert metered == bare
        assert tuple(said(span) for span in began[0].ours()) == quickstart.calls


def test_a_client_is_told_once():
    libraries = [client.library for client in CLIENTS]
    assert len(libraries) == len(set(libraries))
