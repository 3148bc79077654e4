"""Which TracerProvider spans begin at, and what it does to them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry import trace

from tokentrace.diagnosis.report import Pipeline, Problem
from tokentrace.session import Session

_LIMITS = {"attributes": "max_span_attributes", "length": "max_span_attribute_length", "events": "max_events"}
_ENOUGH = {"attributes": 64, "length": 512, "events": 16}
"""What the fullest of our spans may take."""
_VARIABLES = {
    "attributes": "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "length": "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "events": "OTEL_SPAN_EVENT_COUNT_LIMIT",
}
_ALWAYS = ("AlwaysOnSampler", "ParentBased{root:AlwaysOnSampler")


def found(session: Session | None) -> Pipeline:
    """The provider that is active now."""
    provider = session.tracing.provider if session is not None else trace.get_tracer_provider()
    sampler = getattr(provider, "sampler", None)
    is_ours = isinstance(provider, trace.ProxyTracerProvider)
    return Pipeline(
        provider="none" if is_ours else f"{type(provider).__module__}.{type(provider).__qualname__}",
        sampler=None if sampler is None else _described(sampler),
        is_lossless=session is not None and session.delivery is not None,
        limits=_limits(provider),
    )


def problems(pipeline: Pipeline, session: Session | None) -> Iterator[Problem]:
    """What costs money there."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield Problem("OTEL_SDK_DISABLED", "It is 'true': no span is recorded.", "Unset it.")
    if session is None:
        return
    if pipeline.sampler and not pipeline.is_lossless and not pipeline.sampler.startswith(_ALWAYS):
        yield Problem(
            "sampler",
            f"Spans are left to the provider that was given, and {pipeline.sampler} drops some: their cost is lost.",
            "Give instrument() an `endpoint` too, so that tokentrace delivers what the sampler drops.",
        )
    for name, most in pipeline.limits.items():
        if most is not None and most < _ENOUGH[name]:
            yield Problem(
                f"span limit of {name}",
                f"The provider allows {most}, and counts may be cut.",
                f"Allow at least {_ENOUGH[name]} ({_VARIABLES[name]}).",
            )


def scopes(session: Session | None) -> Iterator[str]:
    """The names under which spans are begun at the application's provider."""
    provider = session.tracing.provider if session is not None else trace.get_tracer_provider()
    # There is no public way to ask; where it is kept differently, the other evidence must do.
    tracers: Mapping[Any, Any] = getattr(provider, "_tracers", {})
    yield from (str(getattr(scope, "name", "")) for scope in list(tracers))


def _limits(provider: Any) -> Mapping[str, int | None]:
    limits = getattr(provider, "_span_limits", None)
    return {} if limits is None else {name: getattr(limits, field, None) for name, field in _LIMITS.items()}


def _described(sampler: Any) -> str:
    try:
        return str(sampler.get_description())
    except Exception:  # noqa: BLE001  (whatever sampler the application wrote)
        return type(sampler).__qualname__
