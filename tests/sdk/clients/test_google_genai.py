from __future__ import annotations

import pytest
from shapes.google_generate import EMBEDDINGS, GEMINI, VERTEX, VERTEX_EMBEDDINGS
from shapes.shape import cases


@pytest.mark.parametrize(("surface", "shape", "mode"), cases(GEMINI, VERTEX, EMBEDDINGS, VERTEX_EMBEDDINGS))
def test_a_call_counts_once_and_stays_what_it_was(judge, surface, shape, mode):
    verdict = judge(surface, shape, mode)

    assert verdict.metered == verdict.bare
    assert verdict.calls == shape.calls
