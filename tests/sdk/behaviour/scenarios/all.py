"""Every scenario, in the order of the table."""

from __future__ import annotations

from behaviour.play import Scenario
from behaviour.scenarios import answers, failures, retries, stored, streams, together

SCENARIOS: tuple[Scenario, ...] = tuple(
    scenario for kind in (answers, streams, failures, retries, together, stored) for scenario in kind.scenarios()
)
