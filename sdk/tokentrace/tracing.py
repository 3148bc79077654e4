"""Where our spans begin: the application's TracerProvider, or a private one that records always."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import context as context_api, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, Tracer

from tokentrace import context
from tokentrace.config import Config
from tokentrace.delivery import Delivery
from tokentrace.export import SCOPE, Processor

VERSION = version("tokentrace")

_PRIVATE = context_api.create_key("tokentrace-private-span")

# A provider cannot be rid of a processor again, so that each gets one, once, which an uninstrument puts to sleep.
_processors: WeakKeyDictionary[TracerProvider, Processor] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Opened:
    """A span, and whether it is ours alone because the application's sampler dropped it."""

    span: Span
    is_private: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """A private span that is the parent of what follows."""

    span: Span
    below: int
    """Id of the application's span that was current then."""


class Tracing:
    """Starts spans for one configuration.

    Sampling must not lose money: where the application's sampler drops a span, the same span goes to a private
    provider that records always, in the same trace. It is not made current, so that the application's own sampling
    decisions stay what they were.
    """

    def __init__(self, config: Config, delivery: Delivery | None, provider: trace.TracerProvider | None = None) -> None:
        self.delivery = delivery
        self.is_open = True
        self._given = provider
        self._seen: trace.TracerProvider | None = None
        self._seen_tracer: Tracer
        resource = Resource.create({"service.name": config.service_name} if config.service_name else None)
        self._private = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
        if delivery is not None:
            self._attach(self._private, delivery)
        self._private_tracer = self._private.get_tracer(SCOPE, VERSION)

    def start(self, title: str, kind: SpanKind, attributes: Mapping[str, Any]) -> Opened:
        """A span as the child of the current one, with the attribution of the request."""
        described = {**context.process_attribution, **context.attribution.get(), **attributes}
        span = self._tracer().start_span(title, kind=kind, attributes=described)
        if span.is_recording() or self.delivery is None:
            return Opened(span, is_private=False)
        parent = None
        held = context_api.get_value(_PRIVATE)
        # The private parent counts only as long as the application has opened no span of its own in between.
        if isinstance(held, _Held) and held.below == trace.get_current_span().get_span_context().span_id:
            parent = trace.set_span_in_context(held.span)
        private = self._private_tracer.start_span(title, context=parent, kind=kind, attributes=described)
        return Opened(private, is_private=True)

    def enter(self, opened: Opened) -> Any:
        """Make a span the parent of what follows; gives the token that `leave` takes."""
        if not opened.is_private:
            return context_api.attach(trace.set_span_in_context(opened.span))
        current = trace.get_current_span().get_span_context().span_id
        return context_api.attach(context_api.set_value(_PRIVATE, _Held(opened.span, current)))

    @staticmethod
    def leave(token: Any) -> None:
        """Undo `enter`."""
        context_api.detach(token)

    def close(self) -> None:
        """Leave the application's providers as if we had never been there."""
        self.is_open = False
        for processor in _processors.values():
            processor.delivery = None

    def _tracer(self) -> Tracer:
        provider = self._given or trace.get_tracer_provider()
        if provider is self._seen:
            return self._seen_tracer
        tracer = self._private_tracer
        if self._given is not None or isinstance(provider, TracerProvider):
            if self.delivery is not None and isinstance(provider, TracerProvider):
                self._attach(provider, self.delivery)
            tracer = provider.get_tracer(SCOPE, VERSION)
        # Otherwise none is set, or one that takes no processors: ours records, theirs stays as it is.
        self._seen, self._seen_tracer = provider, tracer
        return tracer

    @staticmethod
    def _attach(provider: TracerProvider, delivery: Delivery) -> None:
        if (processor := _processors.get(provider)) is None:
            processor = _processors[provider] = Processor()
            provider.add_span_processor(processor)
        processor.delivery = delivery
