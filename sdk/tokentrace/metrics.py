"""What a call adds to the metrics of the application, beside its span."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics
from opentelemetry.metrics._internal import (
    _ProxyMeterProvider,  # pyright: ignore[reportPrivateUsage]  (what stands there as long as nobody has set one)
)

from tokentrace import attributes as name
from tokentrace.version import SCOPE

if TYPE_CHECKING:
    from tokentrace.delivery.counts import Counts

_TOKENS = tuple(4**power for power in range(14))
_SECONDS = tuple(0.01 * 2**power for power in range(14))
"""The boundaries that OpenTelemetry's conventions advise."""

_DIMENSIONS = (name.OPERATION, name.PROVIDER, name.REQUEST_MODEL, name.RESPONSE_MODEL, name.SERVER_ADDRESS)
_REMAINING = name.RATE_LIMIT + "remaining."


class Metrics:
    """The instruments of one instrumentation; without a MeterProvider of the application they do nothing."""

    def __init__(self, provider: metrics.MeterProvider | None, version: str) -> None:
        meter = metrics.get_meter(SCOPE, version, provider)
        current = provider or metrics.get_meter_provider()
        self._nobody = current if isinstance(current, (_ProxyMeterProvider, metrics.NoOpMeterProvider)) else None
        """The provider that records nothing, as long as it is the one in place."""
        self._provider = provider

        def histogram(title: str, unit: str, boundaries: tuple[float, ...]) -> metrics.Histogram:
            return meter.create_histogram(title, unit, explicit_bucket_boundaries_advisory=boundaries)

        self._tokens = histogram(name.TOKEN_METRIC, "{token}", _TOKENS)
        self._duration = histogram(name.DURATION_METRIC, "s", _SECONDS)
        self._first_chunk = histogram(name.FIRST_CHUNK_METRIC, "s", _SECONDS)
        self._throttled = histogram(name.THROTTLE_METRIC, "s", _SECONDS)
        self._remaining = meter.create_gauge(name.REMAINING_METRIC, "{unit}")
        self._sources = {
            "estimated": meter.create_counter(name.ESTIMATED_METRIC, "{call}"),
            "missing": meter.create_counter(name.MISSING_METRIC, "{call}"),
        }
        self._spans = {
            "delivered": meter.create_counter(name.DELIVERED_METRIC, "{span}"),
            "spooled": meter.create_counter(name.SPOOLED_METRIC, "{span}"),
            "replayed": meter.create_counter(name.REPLAYED_METRIC, "{span}"),
        }
        self._lost = meter.create_counter(name.LOST_METRIC, "{span}")
        self._duplicate = meter.create_counter(name.DUPLICATE_METRIC, "{call}")

    @property
    def is_heard(self) -> bool:
        """Whether there is a provider that records."""
        if self._nobody is None:
            return True
        # To ask for the provider where none has been set is to ask the environment, on every call.
        if getattr(self._duration, "_real_instrument", self) is None:
            return False
        if (self._provider or metrics.get_meter_provider()) is self._nobody:
            return False
        self._nobody = None
        return True

    def record(self, said: Mapping[str, Any], seconds: float, *, is_open: bool = False) -> None:
        """Add a call that is over: all that its span says, and how long it took.

        Where its counts are still open, `count` is told of them when they are estimated.
        """
        common = {key: said[key] for key in _DIMENSIONS if key in said}
        if said[name.USAGE_SCOPE] != "call":
            # What it says is said elsewhere too, and sums must stay sums.
            self._duplicate.add(1, common)
            return
        if not is_open:
            self.count(said)
        for side, key in (("input", name.INPUT_TOKENS), ("output", name.OUTPUT_TOKENS)):
            if key in said:
                self._tokens.record(said[key], {**common, name.TOKEN_TYPE: side})
        failure = {name.ERROR_TYPE: said[name.ERROR_TYPE]} if name.ERROR_TYPE in said else {}
        self._duration.record(seconds, {**common, **failure})
        if name.TIME_TO_FIRST_CHUNK in said:
            self._first_chunk.record(said[name.TIME_TO_FIRST_CHUNK], common)
        self._record_supply(said, common)

    def deliver(self, news: Counts) -> None:
        """Add what became of spans since the last time."""
        # It has come with the delivery, which alone has news.
        from tokentrace.delivery.counts import LOSSES  # noqa: PLC0415

        for title, counter in self._spans.items():
            if number := getattr(news, title):
                counter.add(number)
        for reason in LOSSES:
            if number := getattr(news, reason):
                self._lost.add(number, {name.LOSS_REASON: reason})

    def count(self, said: Mapping[str, Any]) -> None:
        """Add a call whose counts are estimated, or missing."""
        source = "estimated" if name.ESTIMATE_COUNTS in said else said[name.USAGE_SOURCE]
        if (counter := self._sources.get(source)) is not None:
            counter.add(1, {key: said[key] for key in _DIMENSIONS if key in said})

    def _record_supply(self, said: Mapping[str, Any], common: Mapping[str, Any]) -> None:
        if name.THROTTLE_WAIT in said:
            self._throttled.record(said[name.THROTTLE_WAIT], common)
        for key, left in said.items():
            if key.startswith(_REMAINING):
                self._remaining.set(left, {**common, name.RATE_LIMIT_KIND: key.removeprefix(_REMAINING)})
