"""Whatever happens to an application, its calls count once and stay what they were."""

from __future__ import annotations

import gc
import logging
from contextlib import ExitStack

import pytest

from behaviour.doors.all import DOORS
from behaviour.play import play
from behaviour.scenarios.all import SCENARIOS
from behaviour.verdict import Ends, bearing, unordered

CASES = [
    pytest.param(door, scenario, mode, id=f"{door.name}-{scenario.name}-{mode}")
    for door in DOORS
    if door.is_installed
    for scenario in SCENARIOS
    if scenario.is_of(door)
    for mode in scenario.modes
    if mode in door.modes
]


@pytest.mark.filterwarnings("ignore")  # Of the clients' own making: what users see, they see without us.
@pytest.mark.parametrize(("door", "scenario", "mode"), CASES)
def test_a_scenario_counts_what_the_provider_bills_and_changes_nothing(metering, caplog, door, scenario, mode):
    ends = Ends()
    with ExitStack() as stack:
        began = []

        def start():
            began.append(stack.enter_context(metering()))
            began[0].provider.add_span_processor(ends)

        bare = play(door, scenario, mode)
        metered = play(door, scenario, mode, start, {"uninstrument": stack.close})
        gc.collect()

    assert metered == bare
    found = bearing(began[0].ours())
    assert unordered(found, scenario.records(door)), found
    assert ends.are_even
    assert [each.message for each in caplog.records if each.levelno >= logging.WARNING and _ours(each.name)] == []


def _ours(logger: str) -> bool:
    return logger.startswith(("tokentrace", "opentelemetry"))
