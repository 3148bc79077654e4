"""Code that users copy gives the same result when it is metered, and its calls count once."""

from __future__ import annotations

import gc
import warnings
from contextlib import ExitStack

import pytest
from quickstarts.all import clients
from quickstarts.quickstart import take
from shapes.record import said

# What a release has is seen by importing it, and old ones warn of what they do.
with warnings.catch_warnings(action="ignore"):
    CASES = [
        pytest.param(quickstart, id=f"{client.library}-{quickstart.name}")
        for client in clients()
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


def test_a_client_and_its_quickstarts_are_told_once():
    libraries = [client.library for client in clients()]
    assert len(libraries) == len(set(libraries))
    for client in clients():
        names = [quickstart.name for quickstart in client.quickstarts]
        assert len(names) == len(set(names)), client.library
