"""Recorded answers of models that nobody had recorded: each is estimated as if its family were not known.

Whatever fits a model is left out of both tables, the one of answers and the one of prompts: what is expected of it is found from
all the others, as with a model that comes out tomorrow. The report is written to the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import test_corpus_usage as corpus
import test_estimates_corpus as known

from tokentrace.estimation import families
from tokentrace.usage.reading import Reading

pytestmark = pytest.mark.skipif(not corpus.ALL, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory")


@contextmanager
def left_out(model: str, provider: str, fmt: str) -> Iterator[None]:
    """Nothing is known of the family of a model."""
    named = {"_FAMILIES": model.lower(), "_FRAMINGS": f"{model} at {provider} over {fmt}".lower()}
    with pytest.MonkeyPatch.context() as patch:
        for table, told in named.items():
            rows = getattr(families, table)
            patch.setattr(families, table, tuple(row for row in rows if not re.search(row[0], told)))
        _forget()
        yield
    _forget()


def _forget() -> None:
    families.family.cache_clear()
    families.framing.cache_clear()


_estimated = known.estimated


def held_out(answer: known.Recorded, hide: Callable[[Any], Any]) -> Mapping[str, Any]:
    """What the record says of an answer whose family is left out."""
    with left_out(_model(answer), answer.provider, answer.format.name):
        return _estimated(answer, hide)


def _model(answer: known.Recorded) -> str:
    seen = Reading()
    for part in answer.parts:
        answer.format.read(part, seen)
    return seen.model or known.requests()[answer.id][1]


def measured(monkeypatch: pytest.MonkeyPatch, side: str, method: str) -> tuple[float, float]:
    monkeypatch.setattr(known, "estimated", held_out)
    return known.report(f"{side}, held out,", method, known.cases(side))


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_model_that_nobody_has_recorded_keeps_to_its_bounds_by_ranks(ranks, capsys, monkeypatch, side):
    with capsys.disabled():
        share, width = measured(monkeypatch, side, "o200k_base")
    assert (share >= 0.95, width <= 1.1) == (True, True)


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_model_that_nobody_has_recorded_keeps_to_its_bounds_without_ranks(capsys, monkeypatch, side):
    with capsys.disabled():
        share, width = measured(monkeypatch, side, "the kinds of characters")
    assert (share >= 0.95, width <= 1.1) == (True, True)
