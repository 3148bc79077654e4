"""Whether the collector takes what is sent to it: asked with an empty request, as the exporter would send it."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from opentelemetry.context import (
    _SUPPRESS_INSTRUMENTATION_KEY,  # pyright: ignore[reportPrivateUsage]  (the key every HTTP instrumentation honours)
    attach,
    detach,
    set_value,
)

from tokentrace.config import Config
from tokentrace.delivery import export
from tokentrace.diagnosis.settings import address

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_ENDPOINT = "(argument `endpoint`, TOKENTRACE_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT)"
_HEADERS = "(argument `headers`, TOKENTRACE_HEADERS or OTEL_EXPORTER_OTLP_HEADERS)"
_PROTOCOL = "(argument `protocol`, TOKENTRACE_PROTOCOL or OTEL_EXPORTER_OTLP_PROTOCOL)"
_GRPC_PORT = f"Send to its HTTP port, usually 4318 {_ENDPOINT}, or use the protocol 'grpc' {_PROTOCOL}."
_START = f"Start one with `tokentrace collector`, or name the one that is running {_ENDPOINT}."
_CERTIFICATE = f"Name its CA in OTEL_EXPORTER_OTLP_CERTIFICATE, or begin the endpoint with 'http://' {_ENDPOINT}."


class Answer(NamedTuple):
    """What came back, and what helps; the remedy of a good answer is empty."""

    told: str
    remedy: str = ""


_NOBODY = Answer("refuses the connection: nobody listens there.", _START)
_NO_HTTP = Answer("does not speak HTTP/1.1; it may be a gRPC port.", _GRPC_PORT)
_STATUS: dict[int, Answer] = {
    401: Answer("wants to know who we are (401).", f"Send its token {_HEADERS}."),
    403: Answer("does not let us in (403).", f"Check the token and what it may do {_HEADERS}."),
    404: Answer("has no such path (404).", f"Give the base URL of an OTLP/HTTP receiver {_ENDPOINT}."),
    405: Answer("takes no POST there (405).", f"Give the base URL of an OTLP/HTTP receiver {_ENDPOINT}."),
    407: Answer("is behind a proxy that wants to know who we are (407).", "Set HTTPS_PROXY, or NO_PROXY for its host."),
    413: Answer("takes no request of this size (413).", "Raise the limit of the proxy in front of it."),
    415: Answer("does not take protobuf over HTTP (415).", _GRPC_PORT),
    429: Answer("is too busy (429).", "Spans wait and are sent again; give the collector more room."),
    502: Answer("is a gateway whose collector does not answer (502).", "Check the collector behind it."),
    503: Answer("cannot take spans now (503).", "They wait and are sent again; look at what the collector says."),
    504: Answer("is a gateway whose collector does not answer (504).", "Check the collector behind it."),
}
_CODES: dict[str, Answer] = {
    "UNAUTHENTICATED": Answer("wants to know who we are (UNAUTHENTICATED).", f"Send its token {_HEADERS}."),
    "PERMISSION_DENIED": Answer("does not let us in (PERMISSION_DENIED).", f"Check the token {_HEADERS}."),
    "UNIMPLEMENTED": Answer(
        "speaks gRPC, but takes no traces (UNIMPLEMENTED).", f"Give the address of an OTLP/gRPC receiver {_ENDPOINT}."
    ),
    "RESOURCE_EXHAUSTED": Answer("is too busy (RESOURCE_EXHAUSTED).", "Spans wait and are sent again."),
}


def ask(config: Config, timeout: float) -> Answer:
    """Send an empty request; never raises."""
    token = attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
    try:
        return _grpc(config, timeout) if config.protocol == "grpc" else _http(config, timeout)
    except Exception as error:  # noqa: BLE001  (a doctor reports what it cannot explain)
        return Answer(f"could not be asked: {type(error).__name__}: {error}", f"Check the endpoint {_ENDPOINT}.")
    finally:
        detach(token)


def _http(config: Config, timeout: float) -> Answer:
    import requests  # noqa: PLC0415  (comes with the exporter, not before it)

    with export.session(config.headers) as session:
        try:
            answer = session.post(
                config.endpoint,
                data=b"",
                headers={"content-type": "application/x-protobuf", **config.headers},
                timeout=timeout,
                verify=_variable("CERTIFICATE") or True,
                cert=_client_certificate(),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return _broken(config, error, timeout)
    return _answered(answer)


def _answered(answer: Any) -> Answer:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if HTTPStatus(200) <= answer.status_code < HTTPStatus(300):
        if kind == "text/html":
            return Answer("answers with a web page.", f"Give the base URL of an OTLP/HTTP receiver {_ENDPOINT}.")
        return Answer("takes spans.")
    if answer.status_code in _STATUS:
        return _STATUS[answer.status_code]
    if HTTPStatus(300) <= answer.status_code < HTTPStatus(400):
        where = address(str(answer.headers.get("location", "")))
        return Answer(f"has moved to {where or 'another place'} ({answer.status_code}).", f"Send there {_ENDPOINT}.")
    if answer.status_code == HTTPStatus.BAD_REQUEST and "https" in answer.text.lower():
        return Answer("speaks TLS (400).", f"Begin the endpoint with 'https://' {_ENDPOINT}.")
    return Answer(f"answers {answer.status_code}.", "Look at what the collector says.")


def _broken(config: Config, error: Exception, timeout: float) -> Answer:
    """Why there is no answer, told by the words of the errors below: requests has no classes for them."""
    import requests  # noqa: PLC0415

    host = urlsplit(config.endpoint).hostname
    # A more special kind comes before what it is a kind of.
    by_kind: dict[type[Exception], Answer] = {
        requests.exceptions.ProxyError: Answer(
            "cannot be reached through the proxy.", f"Add {host!r} to NO_PROXY, or check HTTPS_PROXY."
        ),
        requests.exceptions.SSLError: _untrusted(str(error)),
        requests.exceptions.Timeout: _late(timeout),
    }
    by_word = {
        "refused": _NOBODY,
        "10061": _NOBODY,
        "resolve": Answer(f"is not known: the name {host!r} has no address.", f"Check the spelling {_ENDPOINT}."),
        "BadStatusLine": _NO_HTTP,
        "RemoteDisconnected": _NO_HTTP,
        "reset by peer": _NO_HTTP,
    }
    found = (answer for kind, answer in by_kind.items() if isinstance(error, kind))
    said = (answer for word, answer in by_word.items() if word in str(error))
    other = Answer(f"cannot be reached: {type(error).__name__}.", f"Check the endpoint {_ENDPOINT}.")
    return next(found, None) or next(said, other)


def _untrusted(said: str) -> Answer:
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return Answer("has a certificate that is not trusted here.", _CERTIFICATE)
    return Answer("does not speak TLS.", f"Begin the endpoint with 'http://' {_ENDPOINT}.")


def _late(timeout: float) -> Answer:
    return Answer(f"did not answer within {timeout:g} s.", f"Check address, firewall and proxy {_ENDPOINT}.")


def _grpc(config: Config, timeout: float) -> Answer:
    import grpc  # noqa: PLC0415  (costs 100 ms to import)

    parts = urlsplit(config.endpoint)
    target = parts.netloc or config.endpoint
    channel: Any
    if parts.scheme == "https":
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(_bytes(_variable("CERTIFICATE"))))
    else:
        channel = grpc.insecure_channel(target)
    with channel:
        send = channel.unary_unary(_EXPORT, request_serializer=bytes, response_deserializer=bytes)
        try:
            send(b"", timeout=timeout, metadata=tuple((key.lower(), value) for key, value in config.headers.items()))
        except grpc.RpcError as error:
            problem: Any = error
            return _refused(problem.code().name, str(problem.details()), timeout)
    return Answer("takes spans.")


def _refused(code: str, details: str, timeout: float) -> Answer:
    if code in _CODES:
        return _CODES[code]
    if code == "DEADLINE_EXCEEDED":
        return _late(timeout)
    if "refused" in details:
        return _NOBODY
    if any(word in details.lower() for word in ("ssl", "tls", "certificate", "handshake")):
        return Answer("does not come to terms over TLS.", _CERTIFICATE)
    return Answer(
        f"does not answer as an OTLP/gRPC receiver ({code}).",
        f"Send to its gRPC port, usually 4317 {_ENDPOINT}, or use the protocol 'http/protobuf' {_PROTOCOL}.",
    )


def _variable(name: str) -> str | None:
    """What `OTEL_*` says of TLS, which the exporter obeys too."""
    return os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}")


def _client_certificate() -> tuple[str, str] | str | None:
    certificate, key = _variable("CLIENT_CERTIFICATE"), _variable("CLIENT_KEY")
    return (certificate, key) if certificate and key else certificate


def _bytes(path: str | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read()
