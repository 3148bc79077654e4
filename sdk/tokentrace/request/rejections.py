"""Answers that a framework does not take, as `reject` tells them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, NamedTuple, TypeAlias

from tokentrace import context
from tokentrace.guard import quietly
from tokentrace.integration import Call
from tokentrace.request.reporting import Place, reject_at
from tokentrace.request.section import innermost


class Rejected(NamedTuple):
    """An answer that is thrown away, whether or not it is asked for again."""

    reason: str = "validation"
    response_id: str | None = None
    """None for the latest answer in the section that runs, checks and memory aside."""


class End(NamedTuple):
    """How one invocation of a function of a framework has ended."""

    call: Call
    result: Any = None
    error: Exception | None = None


Judge: TypeAlias = Callable[[End], Rejected | None]
"""What an end says of the answer that the function was about; None where it may still be used."""


def judged(judge: Judge) -> Callable[[Any, Any, Any, Any], Any]:
    """A wrapper, as wrapt takes it, of a function or a coroutine function that finds out whether an answer will do."""

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        call = Call(instance, args, kwargs)
        if iscoroutinefunction(wrapped):
            return _awaited(judge, call, wrapped)
        try:
            result = wrapped(*args, **kwargs)
        # What interrupts says nothing of an answer.
        except Exception as error:
            _tell(judge, End(call, error=error))
            raise
        _tell(judge, End(call, result))
        return result

    return called


async def _awaited(judge: Judge, call: Call, wrapped: Any) -> Any:
    try:
        result = await wrapped(*call.args, **call.kwargs)
    except Exception as error:
        _tell(judge, End(call, error=error))
        raise
    _tell(judge, End(call, result))
    return result


def reject_around(rejected: Rejected) -> None:
    """Tell of an answer from inside of the section in which it is looked at."""
    with quietly("telling a rejection"):
        if (section := innermost()) is not None and (around := section.above) is not None:
            reject_at(Place(around.span.opened), rejected.reason, response_id=rejected.response_id)


def _tell(judge: Judge, end: End) -> None:
    with quietly("judging an answer"):
        # Frameworks check outside of requests, too.
        if (tracing := context.tracing) is not None and tracing.here().is_valid and (rejected := judge(end)):
            reject_at(Place(), rejected.reason, response_id=rejected.response_id)
