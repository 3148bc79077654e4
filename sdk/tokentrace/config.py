"""What `instrument` was told: by arguments, else `TOKENTRACE_*`, else `OTEL_*`."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

DEFAULT_ENDPOINT = "http://127.0.0.1:4318/v1/traces"
DEFAULT_ENDPOINTS = {"http/protobuf": DEFAULT_ENDPOINT, "grpc": "http://127.0.0.1:4317"}
"""By protocol."""

EXIT_SECONDS = 2.0
"""How long the end of the application may wait for the last spans."""

_TRUE = {"1", "true", "yes", "on"}
_TRUTH = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(("0", "false", "no", "off"), False)}

_SMALLEST_SPOOL = 64 * 1024
_OTHERS = {
    "endpoint": ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    "protocol": ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
    "headers": ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
    "service_name": ("OTEL_SERVICE_NAME",),
    "disabled": ("OTEL_SDK_DISABLED",),
}
"""Variables that settings fall back to, from those of OpenTelemetry."""


def pairs(text: str) -> dict[str, str]:
    """`a=b,c=d` as OpenTelemetry writes it, values URL-decoded."""
    split = (item.partition("=") for item in text.split(",") if "=" in item)
    return {key.strip(): unquote(value.strip()) for key, _, value in split}


def _traces_url(base: str) -> str:
    """The URL of the traces signal below a base URL."""
    return base if urlsplit(base).path.rstrip("/").endswith("/v1/traces") else base.rstrip("/") + "/v1/traces"


@dataclass(frozen=True, slots=True)
class Config:
    """Where spans go, and what is written on each of them."""

    endpoint: str = DEFAULT_ENDPOINT
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

    spool: str | os.PathLike[str] | None = None
    """Directory in which spans wait that the collector does not take; `off` for none, None for the usual place."""

    spool_size: int = 64 * 1024 * 1024
    """Bytes that may lie there, whoever put them there, before the oldest spans are removed and counted."""

    stream_usage: bool = False
    """Have streams of Chat Completions report their usage to us where the application does not ask for it."""

    disabled: bool = False
    """Do nothing at all."""

    def __post_init__(self) -> None:
        if self.protocol not in {"http/protobuf", "grpc"}:
            raise ValueError(
                f"The protocol {self.protocol!r} is not supported. Use 'http/protobuf' or 'grpc' "
                "(argument `protocol`, TOKENTRACE_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL)."
            )
        if self.protocol != "grpc" and urlsplit(self.endpoint).scheme not in {"http", "https"}:
            raise ValueError(
                f"The endpoint {self.endpoint!r} is not a URL. Begin it with 'http://' or 'https://' "
                "(argument `endpoint`, TOKENTRACE_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT)."
            )
        if self.queue_size < 1:
            raise ValueError(f"The queue size {self.queue_size!r} is too small. Use at least 1.")
        if self.spool_size < _SMALLEST_SPOOL:
            raise ValueError(
                f"A spool of {self.spool_size!r} bytes is too small. Use at least {_SMALLEST_SPOOL}, "
                "or none at all (argument `spool` or TOKENTRACE_SPOOL: 'off')."
            )

    @property
    def spool_directory(self) -> Path | None:
        """Where spans wait that the collector does not take; None for nowhere."""
        if str(self.spool).strip().lower() == "off":
            return None
        try:
            return Path(self.spool).expanduser() if self.spool else _state(os.environ) / "tokentrace" / "spool"
        except RuntimeError:
            # A user without a home.
            return None

    @classmethod
    def resolve(cls, **arguments: object) -> Config:
        """The configuration from `arguments`, the environment and the defaults, in this order; None is not given."""
        given = {name: value for name, value in arguments.items() if value is not None}
        unknown = given.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise TypeError(f"Unknown configuration: {', '.join(sorted(unknown))}.")
        settings = _environment(os.environ) | given
        return cls(**(settings | _route(os.environ, settings)))  # type: ignore[arg-type]

    @classmethod
    def origins(cls, given: Collection[str]) -> dict[str, str]:
        """Where each setting comes from: `argument` for those of `given`, the name of a variable, or `default`."""
        return {each.name: _origin(each.name, given, os.environ) for each in fields(cls)}


def _origin(name: str, given: Collection[str], env: Mapping[str, str]) -> str:
    if name in given:
        return "argument"
    own, others = f"TOKENTRACE_{name.upper()}", _OTHERS.get(name, ())
    if name in {"protocol", "headers"} and ("endpoint" in given or env.get("TOKENTRACE_ENDPOINT")):
        others = ()
    return next((variable for variable in (own, *others) if env.get(variable)), "default")


def _environment(env: Mapping[str, str]) -> dict[str, object]:
    """What our own variables say, by field, and what OpenTelemetry's say that any exporter may take."""
    mappings = {name: env.get(f"TOKENTRACE_{name.upper()}") for name in ("headers", "hosts", "tags")}
    found: dict[str, object | None] = {
        "endpoint": env.get("TOKENTRACE_ENDPOINT") or None,
        "protocol": env.get("TOKENTRACE_PROTOCOL") or None,
        "service_name": env.get("TOKENTRACE_SERVICE_NAME") or env.get("OTEL_SERVICE_NAME"),
        "queue_size": _integer("TOKENTRACE_QUEUE_SIZE", "spans", env),
        "spool": env.get("TOKENTRACE_SPOOL") or None,
        "spool_size": _integer("TOKENTRACE_SPOOL_SIZE", "bytes", env),
        "stream_usage": _TRUTH.get((env.get("TOKENTRACE_STREAM_USAGE") or "").strip().lower()),
        "disabled": (env.get("TOKENTRACE_DISABLED") or env.get("OTEL_SDK_DISABLED") or "").strip().lower() in _TRUE,
        **{name: pairs(text) for name, text in mappings.items() if text},
    }
    return {name: value for name, value in found.items() if value is not None}


def _route(env: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, object]:
    """Endpoint, protocol and headers. They belong together: OpenTelemetry's are not for an endpoint of ours."""
    base = settings.get("endpoint")
    otel: Mapping[str, str] = env if base is None else {}
    protocol = settings.get("protocol") or _spoken(_otlp(otel, "PROTOCOL"))
    headers = settings.get("headers") or pairs(_otlp(otel, "HEADERS") or "")
    endpoint = otel.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    if not endpoint and (base := base or otel.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
        endpoint = base if protocol == "grpc" else _traces_url(base)
    return {
        "protocol": protocol,
        "headers": headers,
        "endpoint": endpoint or DEFAULT_ENDPOINTS.get(protocol, DEFAULT_ENDPOINT),
    }


def _otlp(env: Mapping[str, str], name: str) -> str | None:
    return env.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or env.get(f"OTEL_EXPORTER_OTLP_{name}")


def _spoken(protocol: str | None) -> str:
    # Who takes OTLP as JSON over HTTP takes it as protobuf; OpenTelemetry's exporter for Python speaks no JSON either.
    return "http/protobuf" if protocol in {None, "http/json"} else str(protocol)


def _state(env: Mapping[str, str]) -> Path:
    """Where this platform keeps what programs of a user have to remember."""
    if sys.platform == "win32":
        return Path(env.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = env.get("XDG_STATE_HOME", "")
    return Path(given) if given.startswith("/") else Path("~/.local/state").expanduser()


def _integer(name: str, unit: str, env: Mapping[str, str]) -> int | None:
    if not (text := env.get(name)):
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, which is not a whole number. Set it to a number of {unit}.") from None
