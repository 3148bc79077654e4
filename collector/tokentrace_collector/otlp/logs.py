"""OTLP log records that say what spans do not: each becomes a span of its own, so that all the rest need not know."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache

import yaml
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tokentrace_collector.files import root
from tokentrace_collector.otlp import decode, shell, values
from tokentrace_collector.otlp.decode import Accepted, UndecodableError

OTHER = (
    "A log record is stored where it reports an outcome, a review, a rejection, an evaluation or the usage of a call."
)
BROKEN = "The log record is not valid OTLP, or its text is not UTF-8."
HOMELESS = "The log record names no trace, so that nobody knows which request it is about."

_TRACE_BYTES, _SPAN_BYTES = 16, 8
_SECOND = 1_000_000_000
_LONGEST = 86_400
"""Seconds of attention in one review; more is a broken clock, and counted as none where the calls are read."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Log records that are used for one purpose; see schemas/logs.yaml."""

    name: str
    event: str
    needs: tuple[str, ...]
    keeps: tuple[str, ...]
    report: str

    def fits(self, event: str, said: Mapping[str, AnyValue]) -> bool:
        """Whether a record is of this kind."""
        return self.event in ("", event) and any(is_named(key, self.needs) for key in said)


def is_named(key: str, names: tuple[str, ...]) -> bool:
    """Whether one of the names, or of the beginnings of names, is that of an attribute."""
    return any(key.startswith(name) if name.endswith(".") else key == name for name in names)


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds that are used."""
    said = yaml.safe_load((root() / "logs.yaml").read_text(encoding="utf-8"))
    return tuple(
        Kind(
            name=name,
            event=kind.get("event", ""),
            needs=tuple(kind["needs"]),
            keeps=(*kind["keeps"], *said["keeps"]),
            report=kind.get("report", ""),
        )
        for name, kind in said["kinds"].items()
    )


def accept(body: bytes, *, now: int, flatten: bool = False) -> Accepted:
    """What of a protobuf request of logs is used, as a request of traces."""
    request, unused = read(body)
    return replace(decode.accept(request.SerializeToString(), now=now, flatten=flatten), unused=unused)


def read(body: bytes) -> tuple[ExportTraceServiceRequest, Mapping[str, int]]:
    """The spans that a protobuf request of logs comes to, and how many of its records are not used, by the reason."""
    try:
        # The outline of both signals is the same, field by field.
        outline = shell.read(body)
    except DecodeError as error:
        raise UndecodableError("The body is not an OTLP logs request in protobuf.") from error
    request = ExportTraceServiceRequest()
    unused: Counter[str] = Counter()
    for group in outline:
        found = [_read(raw) for raw in group.spans]
        spans = [one for one in found if isinstance(one, Span)]
        unused.update(one for one in found if isinstance(one, str))
        if not spans:
            continue
        try:
            resource, scope = Resource.FromString(group.resource), InstrumentationScope.FromString(group.scope)
        except DecodeError:
            unused[BROKEN] += len(spans)
            continue
        request.resource_spans.add(resource=resource).scope_spans.add(scope=scope, spans=spans)
    return request, unused


def _read(raw: bytes) -> Span | str:
    # Nearly all logs are of no use here, and to look for a name in bytes is far quicker than to decode them.
    if b"gen_ai." not in raw and b"tokentrace." not in raw:
        return OTHER
    try:
        return span(LogRecord.FromString(raw))
    except DecodeError:
        return BROKEN


def span(record: LogRecord) -> Span | str:
    """What a record says, as a span, the same however often it comes; or why it is not used."""
    said = dict(_said(record))
    event = record.event_name or said.get("event.name", AnyValue()).string_value
    kind = next((each for each in kinds() if each.fits(event, said)), None)
    if kind is None:
        return OTHER
    kept = {key: value for key, value in sorted(said.items()) if is_named(key, kind.keeps)}
    mark = _mark(kind, record, kept)
    trace_id = record.trace_id if len(record.trace_id) == _TRACE_BYTES and any(record.trace_id) else b""
    if not trace_id:
        if kind.report != "review":
            return HOMELESS
        # People's time costs, whatever it was spent on.
        trace_id = mark[:_TRACE_BYTES]
    ended = record.time_unix_nano or record.observed_time_unix_nano
    made = Span(
        trace_id=trace_id,
        span_id=mark[-_SPAN_BYTES:],
        # Who reports on another process's request knows no span of it; some id has to stand for it, as in the SDK.
        parent_span_id=record.span_id if len(record.span_id) == _SPAN_BYTES else trace_id[-_SPAN_BYTES:],
        name=kind.event or f"log {kind.name}",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=max(ended - _attention(kept), 0),
        end_time_unix_nano=ended,
    )
    for key, value in kept.items():
        made.attributes.add(key=key, value=value)
    if kind.report:
        made.attributes.add(key="tokentrace.report").value.string_value = kind.report
    elif "error.type" in kept:
        made.status.code = Status.STATUS_CODE_ERROR
    return made


def _said(record: LogRecord) -> Iterator[tuple[str, AnyValue]]:
    """What a record says by name: older events had it in their body."""
    for pair in record.body.kvlist_value.values:
        yield pair.key, pair.value
    for pair in record.attributes:
        yield pair.key, pair.value


def _mark(kind: Kind, record: LogRecord, kept: Mapping[str, AnyValue]) -> bytes:
    """What tells a record from all others, and does not change when it is sent again."""
    moment = record.time_unix_nano or record.observed_time_unix_nano
    parts = [kind.name.encode(), record.trace_id, record.span_id, str(moment).encode()]
    parts += [f"{key}={values.text(value)}".encode() for key, value in kept.items()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4) + part)
    return digest.digest()


def _attention(kept: Mapping[str, AnyValue]) -> int:
    """How long before its end a review began, in nanoseconds."""
    told = kept.get("tokentrace.review.active_time")
    seconds = 0.0
    if told is not None:
        with suppress(ValueError):
            seconds = float(values.text(told))
    return round(seconds * _SECOND) if 0 <= seconds <= _LONGEST else 0
