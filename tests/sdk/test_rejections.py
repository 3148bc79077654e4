"""What a function of a framework says of an answer, by how it ends."""

from __future__ import annotations

import asyncio

import pytest
import wrapt

import tokentrace
from tokentrace.request.rejections import Rejected, judged


@wrapt.decorator
def judging(wrapped, instance, args, kwargs):
    """Every end but a good one is one of an answer that will not do."""
    judge = judged(lambda end: None if end.error is None else Rejected(type(end.error).__name__))
    return judge(wrapped, instance, args, kwargs)


@judging
def check(error: BaseException | None) -> str:
    if error is not None:
        raise error
    return "fine"


@judging
async def check_later(error: BaseException | None) -> str:
    return check.__wrapped__(error)


def reasons(spans) -> list[str]:
    said = [dict(span.attributes) for span in spans.ours()]
    return [each["tokentrace.reject.reason"] for each in said if "tokentrace.reject.reason" in each]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, []),
        (ValueError(), ["ValueError"]),
        # Whoever interrupts says nothing of an answer.
        (KeyboardInterrupt(), []),
        (asyncio.CancelledError(), []),
    ],
)
@pytest.mark.parametrize("is_awaited", [False, True])
def test_only_what_fails_rejects_and_passes_as_it_was(spans, error, told, is_awaited):
    def run() -> str:
        if not is_awaited:
            return check(error)
        coroutine = check_later(error)
        try:
            coroutine.send(None)
        except StopIteration as over:
            return over.value
        raise AssertionError("it waits")

    with tokentrace.workflow("request"):
        if error is None:
            assert run() == "fine"
        else:
            with pytest.raises(type(error)) as raised:
                run()
            assert raised.value is error
    assert reasons(spans) == told


def test_outside_of_a_request_nothing_is_told(spans):
    with pytest.raises(ValueError):  # noqa: PT011  (whatever it says)
        check(ValueError())
    assert len(spans) == 0
