"""The wrappers that seams get. The only place that knows sync from async."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from tokentrace import context
from tokentrace.guard import note, quietly
from tokentrace.integration import EVERY, Ask, AttemptSeam, Call, Describe, Kept, ResendSeam, Seam
from tokentrace.tracing import Tracing

if TYPE_CHECKING:
    from tokentrace.calls.attempts import Attempt
    from tokentrace.calls.meter import Meter

Wrapper = Callable[[Any, Any, Any, Any], Any]


def call(seam: Seam, tracing: Tracing, hosts: Mapping[str, str]) -> Wrapper:
    """The wrapper that meters the calls of a seam."""
    # Asked once: for a call it takes longer to ask a tuple for a field than to have it.
    describe, tap = seam.describe, seam.tap
    ask = seam.ask if tracing.asks_usage else None

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (meter := _opened(describe, tracing, hosts, Call(instance, args, kwargs))) is None:
            return wrapped(*args, **kwargs)
        with meter:
            if ask is not None:
                _, args, kwargs = _asking(ask, meter, Call(instance, args, kwargs))
            return meter.hand_back(wrapped(*args, **kwargs), tap)

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (meter := _opened(describe, tracing, hosts, Call(instance, args, kwargs))) is None:
            return await wrapped(*args, **kwargs)
        with meter:
            if ask is not None:
                _, args, kwargs = _asking(ask, meter, Call(instance, args, kwargs))
            return meter.hand_back(await wrapped(*args, **kwargs), tap)

    return awaited if seam.awaited else called


def _asking(ask: Ask, meter: Meter, call: Call) -> Call:
    """The call, asking for its usage where it can; what comes of that is kept from the application."""
    with quietly("asking for the usage of a stream"):
        if (asking := ask(call, meter.known_provider)) is not None:
            meter.sifts = True
            return asking
    return call


def calls(seam: Seam, tracing: Tracing, hosts: Mapping[str, str]) -> Wrapper:
    """The wrapper that meters the calls in the stream that a seam gives."""
    # Only of a library that has such streams.
    from tokentrace.streams.turns import TurnTap  # noqa: PLC0415

    def followed(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        stream, call = wrapped(*args, **kwargs), Call(instance, args, kwargs)

        def begin() -> Meter | None:
            if (meter := _opened(seam.describe, tracing, hosts, call)) is not None:
                meter.hand_back(stream, lambda itself, _: itself)
            return meter

        return stream if seam.follow is None else TurnTap(stream, partial(seam.follow, call), begin)

    return followed


def _opened(describe: Describe, tracing: Tracing, hosts: Mapping[str, str], call: Call) -> Meter | None:
    if not tracing.is_open:
        # A wrapper that could not be taken off, because somebody has wrapped it.
        return None
    # Without the cost of a `with`, for every call goes through here.
    try:
        request = describe(call)
        if request is not None:
            return (_lister() if request.format.lists else _meter())(request, tracing, hosts)
    except Exception as error:
        if not note("describing a call", error):
            raise
    return None


@cache
def _meter() -> type[Meter]:
    # Whoever imports a client may never call it.
    from tokentrace.calls.meter import Meter  # noqa: PLC0415

    return Meter


@cache
def _lister() -> type[Meter]:
    # Few applications read the results of batches.
    from tokentrace.calls.listing import Lister  # noqa: PLC0415

    return Lister


def attempt(seam: AttemptSeam) -> Wrapper:
    """The wrapper that notes the HTTP requests of the call that is being metered."""
    kept = seam.kept

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        meter = context.metering.get()
        # Of the call that is being made, unless this does not send its requests.
        if meter is None or (meter.http is not instance and meter.http is not EVERY):
            return wrapped(*args, **kwargs)
        tried = meter.attempt()
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            with quietly("noting an error"):
                tried.broke(error)
            raise
        _answered(meter, tried, (instance, args, kwargs), response, kept, awaited=False)
        return response

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        meter = context.metering.get()
        if meter is None or (meter.http is not instance and meter.http is not EVERY):
            return await wrapped(*args, **kwargs)
        tried = meter.attempt()
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            with quietly("noting an error"):
                tried.broke(error)
            raise
        _answered(meter, tried, (instance, args, kwargs), response, kept, awaited=True)
        return response

    return awaited if seam.awaited else called


def resend(seam: ResendSeam) -> Wrapper:
    """The wrapper that notes the HTTP requests which a library repeats within one attempt."""

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        tried = None
        with quietly("noting a request"):
            meter = context.metering.get()
            if meter is not None and meter.http is not None and seam.sender(meter.http) is instance:
                tried = meter.resend()
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            if tried is not None:
                with quietly("noting an error"):
                    tried.broke(error)
            raise
        if tried is not None:
            with quietly("noting an answer"):
                tried.answered(response)
        return response

    return awaited


def _answered(
    meter: Meter, tried: Attempt, call: tuple[Any, Any, Any], response: Any, kept: Kept | None, *, awaited: bool
) -> None:
    try:
        tried.answered(response)
        if kept is not None:
            meter.receive_kept(kept(Call(*call), response, meter.format))
        else:
            meter.receive(response, streamed=call[2].get("stream") is True, awaited=awaited)
    except Exception as error:
        if not note("receiving a response", error):
            raise
