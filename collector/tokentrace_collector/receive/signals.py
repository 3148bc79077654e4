"""OTLP's signals: traces, logs, and metrics, which are received so that no exporter fails, counted, and not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tokentrace_collector.otlp.decode import UndecodableError

NO_METRICS = (
    "Metrics are not stored: their counts, such as gen_ai.client.token.usage, name no request that they could be "
    "attributed to. Send traces."
)


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of telemetry."""

    service: str
    """Its gRPC service."""
    rejected_name: str
    """The member of a JSON answer that says how many items were not stored."""
    response: Callable[[int, str], Message]
    """The answer where some items were not stored: how many, and why."""

    def answer(self, count: int, why: str) -> bytes:
        """The answer in protobuf."""
        return self.response(count, why).SerializeToString() if count else b""

    def answer_json(self, count: int, why: str) -> bytes:
        """The answer in JSON."""
        partial = {self.rejected_name: str(count), "errorMessage": why}
        return orjson.dumps({"partialSuccess": partial} if count else {})


TRACES = Signal(
    service="opentelemetry.proto.collector.trace.v1.TraceService",
    rejected_name="rejectedSpans",
    response=lambda count, why: ExportTraceServiceResponse(
        partial_success=ExportTracePartialSuccess(rejected_spans=count, error_message=why)
    ),
)
LOGS = Signal(
    service="opentelemetry.proto.collector.logs.v1.LogsService",
    rejected_name="rejectedLogRecords",
    response=lambda count, why: ExportLogsServiceResponse(
        partial_success=ExportLogsPartialSuccess(rejected_log_records=count, error_message=why)
    ),
)
METRICS = Signal(
    service="opentelemetry.proto.collector.metrics.v1.MetricsService",
    rejected_name="rejectedDataPoints",
    response=lambda count, why: ExportMetricsServiceResponse(
        partial_success=ExportMetricsPartialSuccess(rejected_data_points=count, error_message=why)
    ),
)


def data_points(body: bytes) -> int:
    """How many data points a request of metrics in protobuf holds."""
    try:
        request = ExportMetricsServiceRequest.FromString(body)
    except DecodeError as error:
        raise UndecodableError("The body is not an OTLP metrics request in protobuf.") from error
    return sum(
        len(getattr(metric, kind).data_points)
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
    )


def data_points_json(text: bytes) -> int:
    """How many data points a request of metrics in JSON holds."""
    try:
        return sum(_lists(orjson.loads(text), "dataPoints"))
    except ValueError as error:
        raise UndecodableError(f"The body is not JSON: {error}.") from error


def _lists(json: Any, name: str) -> Iterator[int]:
    """The lengths of the lists of a name, however deep."""
    if _is_map(json) and _is_list(json.get(name)):
        yield len(json[name])
        return
    items = json if _is_list(json) else list(json.values()) if _is_map(json) else []
    for item in items:
        yield from _lists(item, name)


def _is_list(json: Any) -> TypeGuard[list[Any]]:
    return isinstance(json, list)


def _is_map(json: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(json, dict)
