"""What `instrument` was told: by arguments, else `TOKENTRACE_*`, else `OTEL_*`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import unquote, urlsplit

DEFAULT_ENDPOINT = "http://127.0.0.1:4318"
_TRUE = {"1", "true", "yes", "on"}


def _pairs(text: str) -> dict[str, str]:
    """`a=b,c=d` as OpenTelemetry writes it, values URL-decoded."""
    split = (item.partition("=") for item in text.split(",") if "=" in item)
    return {key.strip(): unquote(value.strip()) for key, _, value in split}


def _traces_url(base: str) -> str:
    """The URL of the traces signal below a base URL."""
    return base if urlsplit(base).path.rstrip("/").endswith("/v1/traces") else base.rstrip("/") + "/v1/traces"


@dataclass(frozen=True, slots=True)
class Config:
    """Where spans go, and what is written on each of them."""

    endpoint: str = DEFAULT_ENDPOINT + "/v1/traces"
    """URL that OTLP traces are posted to."""

    protocol: str = "http/protobuf"
    """`http/protobuf` or `grpc`."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Headers of every export, such as a bearer token."""

    service_name: str | None = None
    """`service.name` of the spans, where the application has no TracerProvider of its own."""

    hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Provider by `host` or `host:port`, for servers that a client cannot tell by itself."""

    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags on every span of this process, by the names that `tags(...)` takes."""

    queue_size: int = 65_536
    """Spans that wait for the collector before the oldest are dropped and counted."""

    disabled: bool = False
    """Do nothing at all."""

    def __post_init__(self) -> None:
        if self.protocol not in {"http/protobuf", "grpc"}:
            raise ValueError(
                f"The protocol {self.protocol!r} is not supported. Use 'http/protobuf' or 'grpc' "
                "(argument `protocol`, TOKENTRACE_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL)."
            )
        if self.queue_size < 1:
            raise ValueError(f"The queue size {self.queue_size!r} is too small. Use at least 1.")

    @classmethod
    def resolve(cls, **arguments: object) -> Config:
        """The configuration from `arguments`, the environment and the defaults, in this order; None is not given."""
        given = {name: value for name, value in arguments.items() if value is not None}
        unknown = given.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise TypeError(f"Unknown configuration: {', '.join(sorted(unknown))}.")
        if isinstance(endpoint := given.get("endpoint"), str) and given.get("protocol") != "grpc":
            given["endpoint"] = _traces_url(endpoint)
        return cls(**(_environment(os.environ) | given))  # type: ignore[arg-type]


def _environment(env: Mapping[str, str]) -> dict[str, object]:
    """What the environment says, by field."""
    protocol = env.get("TOKENTRACE_PROTOCOL") or (
        None
        if env.get("TOKENTRACE_ENDPOINT")
        else env.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or env.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    )
    headers = env.get("TOKENTRACE_HEADERS") or (
        None
        if env.get("TOKENTRACE_ENDPOINT")
        else env.get("OTEL_EXPORTER_OTLP_TRACES_HEADERS") or env.get("OTEL_EXPORTER_OTLP_HEADERS")
    )
    found: dict[str, object | None] = {
        "endpoint": _endpoint(env, protocol),
        "protocol": protocol,
        "headers": _pairs(headers) if headers else None,
        "service_name": env.get("TOKENTRACE_SERVICE_NAME") or env.get("OTEL_SERVICE_NAME"),
        "hosts": _pairs(env["TOKENTRACE_HOSTS"]) if env.get("TOKENTRACE_HOSTS") else None,
        "tags": _pairs(env["TOKENTRACE_TAGS"]) if env.get("TOKENTRACE_TAGS") else None,
        "queue_size": _integer("TOKENTRACE_QUEUE_SIZE", env),
        "disabled": (env.get("TOKENTRACE_DISABLED") or env.get("OTEL_SDK_DISABLED") or "").strip().lower() in _TRUE,
    }
    return {name: value for name, value in found.items() if value is not None}


def _endpoint(env: Mapping[str, str], protocol: str | None) -> str | None:
    if base := env.get("TOKENTRACE_ENDPOINT"):
        return base if protocol == "grpc" else _traces_url(base)
    if exact := env.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return exact
    base = env.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    return base if base is None or protocol == "grpc" else _traces_url(base)


def _integer(name: str, env: Mapping[str, str]) -> int | None:
    if not (text := env.get(name)):
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, which is not a whole number. Set it to a number of spans.") from None
