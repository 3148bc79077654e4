from __future__ import annotations

import pytest
from shapes.anthropic_messages import BETA_SURFACE as BETA, SURFACE as MESSAGES
from shapes.shape import cases


@pytest.mark.parametrize(("surface", "shape", "mode"), cases(MESSAGES, BETA))
def test_a_call_counts_once_and_stays_what_it_was(judge, surface, shape, mode):
    verdict = judge(surface, shape, mode)

    assert verdict.metered == verdict.bare
    assert verdict.calls == shape.calls
