"""Two tools that know places, how a model uses them, and how it asks another agent that has one of them."""

from __future__ import annotations

from typing import Any

from frameworks.turn import Turn, says, together, uses

TURNS = (
    together(uses("search", 100, 20, 5, place="Rome"), uses("weather", 10, 4, 1, day=1)),
    says("It is warm.", 180, 12, 0, 64),
)


def delegated(**asked: Any) -> tuple[Turn, ...]:
    """What is said where a tool asks the other agent, who is asked so."""
    return (
        uses("ask_expert", 50, 10, **asked),
        uses("search", 40, 8, place="Rome"),
        says("Italy.", 60, 6),
        says("It is in Italy.", 70, 7),
    )


def search(place: str) -> str:
    """Look a place up."""
    return f"{place} is in Italy."


def weather(day: int) -> str:
    """Tell the weather of a day."""
    return f"Day {day} is warm."
