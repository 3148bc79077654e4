"""The results of a batch say who they are, so that whoever reads them again does not count them again."""

from __future__ import annotations

import pytest
from quickstarts import anthropic
from quickstarts.quickstart import Quickstart, take
from shapes.provider import reply

pytestmark = pytest.mark.skipif(not anthropic.BATCHED(), reason="This release of anthropic has no batches.")

ID, TIER, MODEL = "gen_ai.response.id", "tokentrace.billing.service_tier", "gen_ai.response.model"
RESULTS = [(name, "batch", "claude-opus-5-20260901") for name in ("msg_1", "msg_2")]


def _twice(url: str) -> None:
    for _ in range(2):
        anthropic.batch(url)


JOB, LINES = reply(anthropic.JOB), anthropic.TYPED
READ_TWICE = Quickstart("batch read twice", _twice, (JOB, JOB, LINES, JOB, JOB, LINES), ())


def test_a_result_is_named_and_priced_as_one_of_a_batch(metering):
    with metering() as began:
        take(READ_TWICE)
        results = [span for span in began.ours() if ID in span.attributes]
    assert [(span.attributes[ID], span.attributes[TIER], span.attributes[MODEL]) for span in results] == RESULTS * 2


def test_a_result_stands_below_the_call_that_read_it(metering):
    with metering() as began:
        take(READ_TWICE)
        spans = began.ours()
    lists = [span.context.span_id for span in spans if ID not in span.attributes]
    assert [span.parent.span_id for span in spans if ID in span.attributes] == [lists[0], lists[0], lists[1], lists[1]]
