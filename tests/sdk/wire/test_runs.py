"""Runs of assistants: one count for all their steps."""

import pytest

from tokentrace.normalise import read_usage
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import runs

SPENT = {
    "prompt_tokens": 381,
    "completion_tokens": 88,
    "total_tokens": 469,
    "prompt_token_details": {"cached_tokens": 128},
}
RUN = {"id": "run_1", "object": "thread.run", "model": "gpt-4o", "status": "completed", "usage": SPENT}
COUNTED = Usage({"input_text": 253, "cache_read": 128, "output_text": 88})


def test_a_run_counts_what_it_says():
    assert read_usage(RUN, provider="openai", api="runs") == COUNTED


def test_steps_are_in_what_the_run_says():
    steps = [{"id": f"step_{number}", "object": "thread.run.step", "usage": SPENT} for number in range(2)]
    assert read_usage([*steps, RUN, *steps], provider="openai", api="runs") == COUNTED


@pytest.mark.parametrize("status", ["queued", "in_progress", "requires_action"])
def test_a_run_that_goes_on_has_no_counts_yet(status):
    read = read_usage(RUN | {"status": status, "usage": None}, provider="openai", api="runs")
    assert read == Usage(flags={"usage_source": "missing", "billable": "unknown"})


def test_a_run_that_failed_says_why():
    seen = Reading()
    runs.read(RUN | {"status": "failed", "last_error": {"code": "rate_limit_exceeded", "message": "…"}}, seen)
    assert (seen.error, seen.finish, seen.complete) == ("rate_limit_exceeded", {0: "failed"}, True)
