from __future__ import annotations

import pytest
from shapes.openai_chat import SURFACE as CHAT
from shapes.openai_others import COMPLETIONS, EMBEDDINGS
from shapes.openai_responses import SURFACE as RESPONSES
from shapes.shape import cases


@pytest.mark.parametrize(("surface", "shape", "mode"), cases(CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS))
def test_a_call_counts_once_and_stays_what_it_was(judge, surface, shape, mode):
    verdict = judge(surface, shape, mode)

    assert verdict.metered == verdict.bare
    assert verdict.calls == shape.calls
