"""The wrappers that seams get. The only place that knows sync from async."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tokentrace import context
from tokentrace.attempts import Attempt
from tokentrace.guard import quietly
from tokentrace.integration import AttemptSeam, Call, Seam
from tokentrace.meter import Meter
from tokentrace.tracing import Tracing

Wrapper = Callable[[Any, Any, Any, Any], Any]


def call(seam: Seam, tracing: Tracing, hosts: Mapping[str, str]) -> Wrapper:
    """The wrapper that meters the calls of a seam."""

    def opened(instance: Any, args: Any, kwargs: Any) -> Meter | None:
        if not tracing.is_open:
            # A wrapper that could not be taken off, because somebody has wrapped it.
            return None
        with quietly("describing a call"):
            request = seam.describe(Call(instance, args, kwargs))
            if request is not None:
                return Meter(request, tracing, hosts)
        return None

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (meter := opened(instance, args, kwargs)) is None:
            return wrapped(*args, **kwargs)
        with meter:
            return meter.hand_back(wrapped(*args, **kwargs))

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (meter := opened(instance, args, kwargs)) is None:
            return await wrapped(*args, **kwargs)
        with meter:
            return meter.hand_back(await wrapped(*args, **kwargs))

    return awaited if seam.awaited else called


def attempt(seam: AttemptSeam) -> Wrapper:
    """The wrapper that notes the HTTP requests of the call that is being metered."""

    def begun(instance: Any) -> tuple[Meter, Attempt] | None:
        meter = context.metering.get()
        if meter is None or meter.http is not instance:
            return None
        return meter, meter.attempt()

    def called(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (found := begun(instance)) is None:
            return wrapped(*args, **kwargs)
        meter, tried = found
        try:
            response = wrapped(*args, **kwargs)
        except BaseException as error:
            with quietly("noting an error"):
                tried.broke(error)
            raise
        with quietly("receiving a response"):
            tried.answered(response)
            meter.receive(response, streamed=kwargs.get("stream") is True, awaited=False)
        return response

    async def awaited(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if (found := begun(instance)) is None:
            return await wrapped(*args, **kwargs)
        meter, tried = found
        try:
            response = await wrapped(*args, **kwargs)
        except BaseException as error:
            with quietly("noting an error"):
                tried.broke(error)
            raise
        with quietly("receiving a response"):
            tried.answered(response)
            meter.receive(response, streamed=kwargs.get("stream") is True, awaited=True)
        return response

    return awaited if seam.awaited else called
