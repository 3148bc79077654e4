"""The results of a batch say who they are, so that whoever reads them again does not count them again."""

from __future__ import annotations

import pytest
from quickstarts import anthropic
from quickstarts.all import clients
from quickstarts.quickstart import Quickstart, take
from shapes.provider import reply

ANTHROPIC = pytest.mark.skipif(not anthropic.BATCHED(), reason="This release of anthropic has no batches.")

ID, TIER, MODEL = "gen_ai.response.id", "tokentrace.billing.service_tier", "gen_ai.response.model"
SCOPE = "tokentrace.usage.scope"
RESULTS = [(name, "batch", "claude-opus-5-20260901") for name in ("msg_1", "msg_2")]


def _twice(url: str) -> None:
    for _ in range(2):
        anthropic.batch(url)


JOB, LINES = reply(anthropic.JOB), anthropic.TYPED
READ_TWICE = Quickstart("batch read twice", _twice, (JOB, JOB, LINES, JOB, JOB, LINES), ())


BATCHES = {
    "groq": ["chatcmpl-1", None],
    "mistralai": ["cmpl-1", "batch-1-1"],
    "together": ["chatcmpl-1", None],
    "xai-sdk": ["a1b2", "batch-1 b", "batch-1 c"],
}
"""By client: the ids of its results, where they or their lines have one."""


@pytest.mark.parametrize("library", BATCHES)
def test_a_result_is_told_apart_and_priced_as_one_of_a_batch(metering, library):
    client = next(client for client in clients() if client.library == library)
    found = [each for each in client.quickstarts if each.name == "batch"] if client.is_installed else []
    if not found or not (found[0].needs is None or found[0].needs()):
        pytest.skip("This environment has no such batches.")
    with metering() as began:
        take(found[0])
        results = [span.attributes for span in began.ours() if span.attributes[SCOPE] == "retrieve"]
    assert [result.get(ID) for result in results] == BATCHES[library]
    assert {result[TIER] for result in results} == {"batch"}


@ANTHROPIC
def test_a_result_is_named_and_priced_as_one_of_a_batch(metering):
    with metering() as began:
        take(READ_TWICE)
        results = [span for span in began.ours() if ID in span.attributes]
    assert [(span.attributes[ID], span.attributes[TIER], span.attributes[MODEL]) for span in results] == RESULTS * 2


@ANTHROPIC
def test_a_result_stands_below_the_call_that_read_it(metering):
    with metering() as began:
        take(READ_TWICE)
        spans = began.ours()
    lists = [span.context.span_id for span in spans if ID not in span.attributes]
    assert [span.parent.span_id for span in spans if ID in span.attributes] == [lists[0], lists[0], lists[1], lists[1]]
