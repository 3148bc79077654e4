"""Where our spans begin: the application's TracerProvider, or a private one that records always."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import ReferenceType, ref

from opentelemetry import context as context_api, trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Span, SpanKind, Tracer

from tokentrace import above, attributes as name, context
from tokentrace.config import Config
from tokentrace.estimation.prefixes import Prefixes
from tokentrace.metrics import Metrics
from tokentrace.version import SCOPE, VERSION
from tokentrace.writing import Starter

if TYPE_CHECKING:
    from tokentrace.delivery.export import Processor
    from tokentrace.delivery.queue import Delivery

# A provider cannot be rid of a processor again, so that each gets one, once, which an uninstrument puts to sleep.
# By identity: providers of others may be neither hashable nor of OpenTelemetry's class.
_processors: list[tuple[ReferenceType[Any], Processor]] = []

_UNLIMITED = SpanLimits(
    max_span_attributes=SpanLimits.UNSET,
    max_event_attributes=SpanLimits.UNSET,
    max_events=SpanLimits.UNSET,
    max_span_attribute_length=SpanLimits.UNSET,
)
"""Limits that an application sets for its own spans must not cut our counts."""


class Open(Protocol):
    """A call whose answer is still to come, or a section that goes on."""

    def end(self, how: None, /) -> None: ...

    def forget(self) -> object: ...


class Opened(NamedTuple):
    """A span, and who may see it."""

    span: Span
    is_private: bool = False
    """Whether it is ours alone, because the application's sampler dropped it."""

    is_hidden: bool = False
    """Whether nobody but us is to find it as the current one."""


class _Tracers(NamedTuple):
    """Where spans begin, as long as the application has this provider."""

    provider: trace.TracerProvider
    shared: Starter | None
    """The application's own; None where it is of a kind that we cannot deliver from."""

    private: Starter


def _unlimited(tracer: Tracer) -> Tracer:
    """The tracer, which is that of our scope alone, without the limits of its provider."""
    own: dict[str, object] = getattr(tracer, "__dict__", {})
    if "_span_limits" in own:
        own["_span_limits"] = _UNLIMITED
    return tracer


def _current(known: trace.TracerProvider) -> trace.TracerProvider:
    """The application's provider, which was the known one before."""
    # To ask for it where none has been set is to ask the environment, on every call.
    if type(known) is trace.ProxyTracerProvider and getattr(trace, "_TRACER_PROVIDER", known) is None:
        return known
    return trace.get_tracer_provider()


class Tracing:
    """Starts spans for one configuration.

    Sampling must not lose money: where the application's sampler drops a span, the same span goes to a private
    provider that records always, in the same trace. It is not made current, so that the application's own sampling
    decisions stay what they were.
    """

    def __init__(
        self,
        config: Config,
        delivery: Delivery | None,
        provider: trace.TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        self.delivery = delivery
        self.metrics = Metrics(meter_provider, VERSION)
        if delivery is not None:
            delivery.tell = self.metrics.deliver
        self.sent = Prefixes()
        self.is_open = True
        self.open: set[Open] = set()
        """What has to end before the process does; adding and copying are atomic."""
        if delivery is not None:
            delivery.before_end = self.finish
        self.asks_usage = config.stream_usage
        self._given = provider
        self._service = {"service.name": config.service_name} if config.service_name else None
        self._lock = threading.Lock()
        self._tracers = self._beginning(self.provider)

    @property
    def provider(self) -> trace.TracerProvider:
        """Where spans begin now."""
        return self._given or trace.get_tracer_provider()

    def start(
        self,
        title: str,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        *,
        is_hidden: bool = False,
        parent: Opened | None = None,
        attribution: Mapping[str, str] | None = None,
        began: int | None = None,
    ) -> Opened:
        """A span as the child of the current one, or of `parent`, with the attribution of the request, or another."""
        provider, shared, private = self._tracers
        if self._given is None and _current(provider) is not provider:
            _, shared, private = self._renewed()
        tags = context.tags() if attribution is None else attribution
        described = {**tags, **attributes} if tags else attributes
        here = context_api.get_current()
        # Most requests have nothing of ours around them.
        if parent is None and above.KEY in here:
            parent, around = above.parent()
            if around:
                described = {**described, name.PARENT: format(around, "016x")}
        # Not None where it is the current one: OpenTelemetry would look that up again and again.
        within = here if parent is None else trace.set_span_in_context(parent.span)
        # What is below a private span stays private: a sampler asked once more would tear the request apart.
        if shared is not None and (parent is None or not parent.is_private):
            span = shared.start(title, within, kind, described, began)
            if self.delivery is None or span.is_recording():
                return Opened(span, False, is_hidden)
        return Opened(private.start(title, within, kind, described, began), is_private=True)

    @staticmethod
    def here() -> trace.SpanContext:
        """The span that one which starts now is the child of; an invalid one where there is none."""
        parent, _ = above.parent()
        return (trace.get_current_span() if parent is None else parent.span).get_span_context()

    @staticmethod
    def is_private_here() -> bool:
        """Whether that span is ours alone."""
        parent, _ = above.parent()
        return parent is not None and parent.is_private

    @staticmethod
    def enter(opened: Opened) -> Any:
        """Make a span the parent of what follows; gives the token that `leave` takes."""
        return above.enter(opened)

    @staticmethod
    def leave(token: Any) -> None:
        """Undo `enter`."""
        context_api.detach(token)

    def follow(self, call: Open) -> None:
        """Have a call or section ended with what is known of it, should the process end first."""
        self.open.add(call)
        if self.delivery is not None:
            self.delivery.begin()

    def finish(self) -> None:
        """End what is still open."""
        for call in tuple(self.open):
            call.end(None)

    def forget(self) -> None:
        """Leave what is open to the process that has forked this one."""
        while self.open:
            self.open.pop().forget()

    def flush(self, timeout: float) -> bool:
        """Have the provider that `instrument` was given export what has ended, where it can."""
        force_flush = getattr(self._given, "force_flush", None)
        return force_flush is None or bool(force_flush(int(timeout * 1000)))

    def close(self) -> None:
        """Leave the application's providers as if we had never been there."""
        self.is_open = False
        for _, processor in _processors:
            processor.delivery = None
        _processors[:] = [entry for entry in _processors if entry[0]() is not None]

    def _renewed(self) -> _Tracers:
        """Where spans begin from now on: the application has another provider."""
        provider = self.provider
        # Two first calls at once must not both give the provider a processor: each span would be delivered twice.
        with self._lock:
            if provider is not self._tracers.provider:
                self._tracers = self._beginning(provider)
            return self._tracers

    def _beginning(self, provider: trace.TracerProvider) -> _Tracers:
        # A span that the application does not sample is still a span of its service.
        own = getattr(provider, "resource", None)
        resource = own if isinstance(own, Resource) else Resource.create(self._service)
        private = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False, span_limits=_UNLIMITED)
        self._attach(private)
        ours = Starter(private.get_tracer(SCOPE, VERSION))
        if isinstance(provider, trace.ProxyTracerProvider):
            # The application has none, so that ours may be current.
            return _Tracers(provider, ours, ours)
        takes_processors = self._attach(provider)
        is_ours_to_use = takes_processors or provider is self._given
        shared = Starter(_unlimited(provider.get_tracer(SCOPE, VERSION))) if is_ours_to_use else None
        return _Tracers(provider, shared, ours)

    def _attach(self, provider: Any) -> bool:
        """Have what the provider records delivered too; False where it is of a kind that takes no processors."""
        if not hasattr(provider, "add_span_processor"):
            return False
        if self.delivery is None:
            return True
        # It has come with the delivery.
        from tokentrace.delivery.export import Processor  # noqa: PLC0415

        processor = next((processor for known, processor in _processors if known() is provider), None)
        if processor is None:
            processor = Processor()
            provider.add_span_processor(processor)
            _processors.append((ref(provider), processor))
        processor.delivery = self.delivery
        return True
