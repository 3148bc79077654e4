"""Other instrumentations of the clients themselves, on the doors of the matrix of behaviour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from behaviour.door import Door, Settings
from behaviour.doors.all import DOORS
from behaviour.play import Play
from behaviour.rivals.known import KNOWN
from behaviour.rivals.rival import Rival
from behaviour.scenarios.all import SCENARIOS
from shapes.api import Tokens
from shapes.provider import Provider

from others.other import AROUND, BESIDE, SAME, Case, Other

_NAMES = ("complete", "streamed", "created, retrieved twice", "a stream asked for inside of another")


def _cases(rival: Rival) -> Iterator[Case]:
    for door in DOORS:
        if door.name not in rival.doors or not door.is_installed:
            continue
        for scenario in SCENARIOS:
            if scenario.name not in _NAMES or not scenario.is_of(door):
                continue
            for mode in scenario.modes[-1:]:
                if mode in door.modes:
                    act = _acting(door, scenario, mode)
                    told = [each["tokens"] for each in scenario.records(door) if each["scope"] == "call"]
                    tokens: Tokens = told[0]
                    name = f"{door.name}, {scenario.name}, {mode}"
                    yield Case(name, act, scenario.script(door), tokens, calls=len(told))


def _acting(door: Door, scenario: Any, mode: str) -> Callable[[str], Any]:
    def act(url: str) -> Any:
        settings = Settings(url, mode)
        stage = Play(door, Provider(()), settings, door.client(settings))
        return scenario.run(scenario.act(stage), mode)

    return act


_TOLD = {
    "OpenLLMetry": (
        "a span; of Anthropic's streams one token more; Google's thoughts in the total alone",
        f"{BESIDE}, or {AROUND}",
    ),
    "OpenInference": ("a span with `llm.token_count.*`", SAME),
    "OpenTelemetry GenAI": ("a span", f"{BESIDE}, or {AROUND}"),
    "OpenTelemetry openai-v2": ("a span", f"{BESIDE}, or {AROUND}"),
    "OpenTelemetry google-genai": ("a span", f"{BESIDE}, or {AROUND}"),
    "Langfuse": ("a span with `langfuse.observation.usage_details`", SAME),
    "Logfire": ("a span; what a stream came to is a second one after its end", f"{BESIDE}, or {AROUND}"),
    "OpenLIT": ("a span, with guesses where a stream tells nothing", f"{BESIDE}, or {AROUND}"),
}
"""What each tells, and why it is not counted."""

INSTRUMENTATIONS = tuple(
    Other(rival.name, (rival.module,), rival.on, lambda rival=rival: tuple(_cases(rival)), *_TOLD[rival.name])
    for rival in KNOWN
)
