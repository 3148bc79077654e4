"""The table of shapes in the README, made of the very shapes that `tests/sdk/clients` takes.

`TOKENTRACE_REGENERATE=1 pytest tests/sdk/test_shapes_table.py` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from readme import ROOT, STALE, standing
from releases import releases_of
from shapes import anthropic_messages, google_generate, openai_chat, openai_others, openai_responses
from shapes.provider import Provider
from shapes.shape import ASYNC, SYNC, Shape, Surface

CLIENTS = ("openai", "anthropic", "google-genai")

COLUMNS = {
    "openai<br>chat": openai_chat.SURFACE,
    "openai<br>responses": openai_responses.SURFACE,
    "anthropic<br>messages": anthropic_messages.SURFACE,
    "anthropic<br>beta": anthropic_messages.BETA_SURFACE,
    "google-genai<br>Gemini": google_generate.GEMINI,
    "google-genai<br>Vertex AI": google_generate.VERTEX,
}
OTHERS = (
    openai_others.EMBEDDINGS,
    openai_others.COMPLETIONS,
    google_generate.EMBEDDINGS,
    google_generate.VERTEX_EMBEDDINGS,
)


def table() -> str:
    """All that stands between the markers."""
    names = list(dict.fromkeys(shape.name for surface in COLUMNS.values() for shape in surface.shapes))
    rows = [[name, *(_cell(surface, name) for surface in COLUMNS.values())] for name in names]
    lines = [_row(["", *COLUMNS]), _row(["---", *[":-:"] * len(COLUMNS)]), *map(_row, rows)]
    return "\n".join([*lines, "", _others(), "", _releases(), ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(surface: Surface, name: str) -> str:
    shapes = [shape for shape in surface.shapes if shape.name == name and _exists(surface, shape)]
    if not shapes:
        return "·"
    modes = shapes[0].modes
    return "✓" if set(modes) == {SYNC, ASYNC} else f"✓ {modes[0]}"


def _exists(surface: Surface, shape: Shape) -> bool:
    return shape.needs is None or shape.needs(surface.client(SYNC, Provider(()), 0))


def _others() -> str:
    made = (f"{surface.name} ({', '.join(shape.name for shape in surface.shapes)})" for surface in OTHERS)
    return f"✓ counted once, sync and async; · no such shape. Likewise {'; '.join(made)}."


def _releases() -> str:
    checked = (f"{client} {_series(releases_of(client))}" for client in CLIENTS)
    return f"Checked with {'; '.join(checked)}."


def _series(versions: list[str]) -> str:
    *most, last = versions
    return f"{', '.join(most)} and {last}"


def test_the_table_in_the_readme_is_made_of_the_shapes_that_are_tested():
    assert standing("shapes", table(), ROOT / "README.md") == table(), STALE


def test_every_shape_of_a_surface_has_a_name_of_its_own():
    for surface in (*COLUMNS.values(), *OTHERS):
        names = [shape.name for shape in surface.shapes]
        assert len(names) == len(set(names))
