"""The run that frameworks have in common: a refusal, two tools at once of which one fails, and an answer."""

from __future__ import annotations

from frameworks.turn import fails, says, together, uses

TURNS = (
    fails(429),
    together(uses("weather", 50, 9, place="Rome"), uses("weather", 10, 3, place="Atlantis")),
    says("It is warm.", 80, 12),
)
TREE = """\
forecaster
  chat gpt-5  60 → 12
  weather
  weather  ✗ LookupError
  chat gpt-5  80 → 12"""


def weather_of(place: str) -> str:
    """What the tool does."""
    if place == "Atlantis":
        raise LookupError(place)
    return f"{place} is warm."
