"""OTLP's other signals: received so that no exporter fails, counted, and not stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

import orjson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tokentrace_collector.otlp.decode import UndecodableError

NOT_STORED = "Only traces are stored here."


@dataclass(frozen=True, slots=True)
class Signal:
    """A kind of telemetry that is not stored."""

    name: str
    service: str
    """Its gRPC service."""
    rejected_name: str
    """The member of a JSON answer that says how many items were not stored."""
    count_protobuf: Callable[[bytes], int]
    item: str
    """The member of JSON requests whose lists hold the items."""
    answer: Callable[[int], Message]

    def count_json(self, text: bytes) -> int:
        """How many items a JSON request holds."""
        try:
            return sum(_lists(orjson.loads(text), self.item))
        except ValueError as error:
            raise UndecodableError(f"The body is not JSON: {error}.") from error


def _data_points(body: bytes) -> int:
    request = ExportMetricsServiceRequest.FromString(body)
    return sum(
        len(getattr(metric, kind).data_points)
        for resource in request.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if (kind := metric.WhichOneof("data"))
    )


def _log_records(body: bytes) -> int:
    request = ExportLogsServiceRequest.FromString(body)
    return sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)


def _decoding(count: Callable[[bytes], int]) -> Callable[[bytes], int]:
    def counted(body: bytes) -> int:
        try:
            return count(body)
        except DecodeError as error:
            raise UndecodableError("The body is not an OTLP request in protobuf.") from error

    return counted


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


METRICS = Signal(
    name="metrics",
    service="opentelemetry.proto.collector.metrics.v1.MetricsService",
    rejected_name="rejectedDataPoints",
    count_protobuf=_decoding(_data_points),
    item="dataPoints",
    answer=lambda count: ExportMetricsServiceResponse(
        partial_success=ExportMetricsPartialSuccess(rejected_data_points=count, error_message=NOT_STORED)
    ),
)
LOGS = Signal(
    name="logs",
    service="opentelemetry.proto.collector.logs.v1.LogsService",
    rejected_name="rejectedLogRecords",
    count_protobuf=_decoding(_log_records),
    item="logRecords",
    answer=lambda count: ExportLogsServiceResponse(
        partial_success=ExportLogsPartialSuccess(rejected_log_records=count, error_message=NOT_STORED)
    ),
)
