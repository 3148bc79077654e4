"""OTLP log requests in JSON, turned into protobuf, so that one path follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from tokentrace_collector.otlp import decode, logs, members
from tokentrace_collector.otlp.decode import Accepted, UndecodableError


def accept(text: bytes, *, now: int, flatten: bool = False) -> Accepted:
    """What of a JSON request of logs is used, as a request of traces in protobuf."""
    request, unused = read(text)
    return replace(decode.accept(request.SerializeToString(), now=now, flatten=flatten), unused=unused)


def read(text: bytes) -> tuple[ExportTraceServiceRequest, Mapping[str, int]]:
    """The spans that a JSON request of logs comes to, and how many of its records are not used, by the reason."""
    broken: list[Any] = []
    request = ExportLogsServiceRequest()
    try:
        for node in members.items(members.parsed(text), "resourceLogs"):
            request.resource_logs.append(_resource_logs(node, broken))
    except members.WRONG as error:
        raise UndecodableError(f"The body is not an OTLP logs request in JSON: {error}.") from error
    spans, unused = logs.read(request.SerializeToString())
    if not broken:
        return spans, unused
    return spans, {**unused, logs.BROKEN: unused.get(logs.BROKEN, 0) + len(broken)}


def _resource_logs(node: Any, broken: list[Any]) -> ResourceLogs:
    resource = Resource(attributes=members.attributes(members.member(node, "resource")))
    scopes = [_scope_logs(scope, broken) for scope in members.items(node, "scopeLogs")]
    return ResourceLogs(resource=resource, scope_logs=scopes)


def _scope_logs(node: Any, broken: list[Any]) -> ScopeLogs:
    told = members.member(node, "scope")
    scope = InstrumentationScope(name=members.text(told, "name"), version=members.text(told, "version"))
    made = ScopeLogs(scope=scope)
    for one in members.items(node, "logRecords"):
        try:
            made.log_records.append(_record(one))
        except members.WRONG:
            broken.append(one)
    return made


def _record(node: Any) -> LogRecord:
    return LogRecord(
        time_unix_nano=members.integer(node, "timeUnixNano"),
        observed_time_unix_nano=members.integer(node, "observedTimeUnixNano"),
        trace_id=members.identifier(node, "traceId"),
        span_id=members.identifier(node, "spanId"),
        event_name=members.text(node, "eventName"),
        body=members.value_of(members.member(node, "body")),
        attributes=members.attributes(node),
    )
