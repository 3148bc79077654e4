"""The instrumentation of this process: begun once, ended once."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import TracerProvider

from tokentrace import context
from tokentrace.config import EXIT_SECONDS, Config
from tokentrace.guard import log
from tokentrace.request.attribution import named
from tokentrace.seams import install
from tokentrace.tracing import Tracing

if TYPE_CHECKING:
    from tokentrace.delivery.queue import Delivery


class Session(NamedTuple):
    """What `instrument` has set up."""

    config: Config
    tracing: Tracing
    delivery: Delivery | None
    origins: Mapping[str, str]
    """Where each setting comes from."""

    sends_otlp: bool
    """Whether spans are delivered as OTLP to the endpoint of the configuration."""


_lock = threading.Lock()
_session: Session | None = None


def current() -> Session | None:
    """The session, where the process is instrumented."""
    return _session


def instrument(
    *,
    endpoint: str | None = None,
    protocol: str | None = None,
    headers: Mapping[str, str] | None = None,
    service_name: str | None = None,
    hosts: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    queue_size: int | None = None,
    stream_usage: bool | None = None,
    spool: str | os.PathLike[str] | None = None,
    spool_size: int | None = None,
    tracer_provider: TracerProvider | None = None,
    exporter: SpanExporter | None = None,
    meter_provider: MeterProvider | None = None,
) -> None:
    """Meter every call that this process makes to a model, through clients that exist already or come later.

    Arguments win over `TOKENTRACE_*`, which win over `OTEL_*`. Calling it again changes nothing.

    Args:
        endpoint: Base URL of the collector, default `http://127.0.0.1:4318`.
        protocol: `http/protobuf` (default) or `grpc`.
        headers: Headers of every export, such as `{"authorization": "Bearer …"}`.
        service_name: `service.name` of the spans, where the application has no TracerProvider of its own.
        hosts: Provider by `host` or `host:port`, such as `{"10.0.0.7:8000": "self_hosted"}`.
        tags: Tags on every span of this process, by the names that `tags` takes.
        queue_size: Spans that may wait for the collector in memory.
        stream_usage: Have streams of Chat Completions report their usage, where the server is known to and the
            application did not ask; what comes of that is kept from the application. Without it, it is estimated.
        spool: Directory in which spans wait that the collector does not take, or `off`. Those for an `exporter` of
            yours wait in memory only.
        spool_size: Bytes that may lie there.
        tracer_provider: Write spans there and leave their export to it, unless `endpoint` or `exporter` is given too.
        exporter: Deliver spans through it instead of OTLP.
        meter_provider: Record metrics there instead of with the global one.

    Raises:
        ValueError: An argument or a variable of the environment makes no sense; the message names it.

    """
    global _session  # noqa: PLW0603  (one process, one instrumentation)
    arguments = {
        "endpoint": endpoint, "protocol": protocol, "headers": headers, "service_name": service_name, "hosts": hosts,
        "tags": tags, "queue_size": queue_size, "spool": spool, "spool_size": spool_size,
        "stream_usage": stream_usage,
    }  # fmt: skip
    config = Config.resolve(**arguments)
    with _lock:
        if _session is not None:
            log.debug("tokentrace is instrumented already.")
            return
        if config.disabled:
            return
        delivery = None
        if exporter is not None or tracer_provider is None or endpoint is not None:
            delivery = _delivery(config, exporter)
            atexit.register(delivery.close, EXIT_SECONDS)
        context.process_attribution = named(config.tags)
        tracing = Tracing(config, delivery, tracer_provider, meter_provider)
        context.tracing = tracing
        if delivery is None:
            atexit.register(tracing.finish)
        install.install(tracing, config.hosts)
        origins = Config.origins({name for name, value in arguments.items() if value is not None})
        _session = Session(config, tracing, delivery, origins, delivery is not None and exporter is None)


def _delivery(config: Config, exporter: SpanExporter | None) -> Delivery:
    # Who has a TracerProvider send everything does without.
    from tokentrace.delivery import export  # noqa: PLC0415
    from tokentrace.delivery.queue import Delivery  # noqa: PLC0415

    if exporter is not None:
        return Delivery(exporter, config.queue_size)
    return Delivery(
        export.exporter(config),
        config.queue_size,
        renew=partial(export.exporter, config),
        disk=partial(export.keeper, config),
    )


def uninstrument() -> None:
    """Leave every library as it was, and deliver what is still queued within two seconds."""
    global _session  # noqa: PLW0603
    with _lock:
        if (ending := _session) is None:
            return
        _session = None
        install.uninstall()
        context.process_attribution, context.tracing = {}, None
        if ending.delivery is not None:
            ending.delivery.close(EXIT_SECONDS)
            atexit.unregister(ending.delivery.close)
        else:
            atexit.unregister(ending.tracing.finish)
        ending.tracing.close()


def _forked() -> None:
    if _session is not None:
        _session.tracing.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def flush(timeout: float = EXIT_SECONDS) -> bool:
    """Deliver the spans that have ended; False where that took longer than `timeout` seconds."""
    running = _session
    if running is None:
        return True
    return running.delivery.flush(timeout) if running.delivery is not None else running.tracing.flush(timeout)
