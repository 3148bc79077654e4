"""The story the demo tells: which models the agent uses, what it asks and what it is told."""

from __future__ import annotations

from collections.abc import Iterator

REASONING_MODEL = "gpt-6.1-sol"
"""Plans and analyses; thinks before it answers, unseen."""
SMALL_MODEL = "gpt-6.1-terra"
"""Reads tables and writes the headline."""
SEARCH_MODEL = "gemini-3.8-flash"
"""Reads what the search tool found."""
WRITING_MODEL = "claude-opus-5-5"
"""Writes the brief."""
OWN_MODEL = "qwen3-32b"
"""Translates the brief, on GPUs of our own."""

CAUSES: dict[str, str] = {
    "broken_stream": "errors",
    "review": "human_review",
    "pool": "infrastructure",
    "orchestration": "orchestration",
    "reasoning": "hidden_reasoning",
}
"""What can be left out of the run, and the component that it alone brings about."""

QUESTION = "Where should Nordwind open its next cold-storage warehouse, and what would make us change our mind?"

_REGIONS = ("Gdansk", "Rotterdam", "Trieste", "Malmo", "Zaragoza", "Brno", "Constanta", "Klaipeda")
_YEARS = range(2021, 2027)


def house_rules() -> str:
    """The instructions that every call of the reasoning model opens with, long enough to be cached."""
    topics = ("sources", "figures", "currencies", "dates", "risks", "rivals", "energy", "labour", "permits", "tone")
    return "\n".join(
        f"Rule {number}, on {topic}: state what is known, who said it and when; mark what is inferred; prefer the "
        f"document itself over its summary; when two sources disagree on {topic}, give both and name the likelier."
        for number, topic in enumerate(topics * 3, start=1)
    )


def filings() -> str:
    """The documents the analysis rests on."""
    return "\n".join(
        f"{region} {year} Q{quarter}: cold-storage capacity {11_000 + 730 * place + 410 * step} pallets, "
        f"occupancy {81 + (3 * place + step) % 15} %, energy {14 + (place * 5 + step) % 9}.{place} ct/kWh, "
        f"hourly wage {12 + (place * 3 + 2 * step) % 11}.50 EUR, permits take {7 + (place + step) % 9} months, "
        f"{4 + 9 * place} km to the nearest deep-sea berth. The operator lost {2 + (place + step) % 4} contracts "
        f"and keeps a waiting list of {place * 2 + step + quarter} tenants."
        for step, year in enumerate(_YEARS)
        for quarter in range(1, 5)
        for place, region in enumerate(_REGIONS)
    )


def search_results() -> str:
    """What the search tool brings back, before a model has read it."""
    return "\n".join(
        f"Result {place + 1}: {region} port authority extends its reefer terminal; {40 + 6 * place} new plugs, tender "
        f"open until spring, grid connection of {9 + place} MW granted. Rents expected to move by {place - 2} per cent."
        for place, region in enumerate(_REGIONS)
    )


def tables() -> str:
    """What the table tool brings back."""
    return "region;year;capacity;occupancy;rent\n" + "\n".join(
        f"{region};{year};{11_000 + 730 * place + 410 * step};{81 + (3 * place + step) % 15};{61 + 2 * place + step}"
        for step, year in enumerate(_YEARS)
        for place, region in enumerate(_REGIONS)
    )


ANSWERS: dict[str, str] = {
    "plan": (
        "1. Search for reefer capacity under construction. 2. Read the occupancy tables. 3. Weigh demand against "
        "energy and permits. 4. Write the brief for the board. 5. Have an editor approve it."
    ),
    "search_web": (
        "Eight ports extend reefer capacity; Gdansk, Klaipeda and Constanta have a grid connection granted, Trieste "
        "waits for its permit. Rents are expected to rise in five of eight regions."
    ),
    "read_tables": '{"tightest": ["Gdansk", "Klaipeda", "Brno"], "growth": [0.06, 0.05, 0.02]}',
    "analyse": " ".join(
        f"{region} scores {9 - place} of 10: demand outruns capacity, but energy and permits set the pace."
        for place, region in enumerate(_REGIONS)
    ),
    "draft": " ".join(
        f"In {region} the waiting list is longer than the new capacity, and the grid connection decides the date. "
        f"A warehouse of {9_000 + 500 * place} pallets pays back in {6 + place} years at today's rents; a rise in "
        f"energy of one cent adds {3 + place} months. We would change our mind if the port authority moved the tender "
        "or a competitor broke ground first."
        for place, region in enumerate(_REGIONS)
    ),
    "translate": " ".join(
        f"In {region} ist die Warteliste laenger als der Zubau, und der Netzanschluss bestimmt den Termin. "
        f"Ein Lager mit {9_000 + 500 * place} Stellplaetzen rechnet sich nach {6 + place} Jahren."
        for place, region in enumerate(_REGIONS)
    ),
    "headline": "Gdansk first, Klaipeda as the hedge; energy above 19 ct/kWh ends the case.",
}
"""What the provider says to each task; an agent names its task in the last line of its last message."""

THINKING: dict[str, int] = {"plan": 1_100, "search_web": 260, "analyse": 5_200}
"""Reasoning tokens by task, when the request does not switch reasoning off."""


def task(name: str, material: str) -> str:
    """A request for one task; what changes from call to call comes last, so that prefixes can be cached."""
    return f"{material}\n{QUESTION}\nTask: {name}"


def pieces(text: str, words: int = 6) -> Iterator[str]:
    """The text as a stream delivers it."""
    split = text.split(" ")
    for start in range(0, len(split), words):
        yield ("" if start == 0 else " ") + " ".join(split[start : start + words])
