"""google.rpc.Status: how OTLP says what is wrong with a request."""

from __future__ import annotations

from enum import IntEnum

from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped] # It ships no types.
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]


class Code(IntEnum):
    """gRPC's status codes, as far as we give them."""

    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


def encoded(code: Code, message: str, *, retry_seconds: int | None = None) -> bytes:
    """A status in protobuf."""
    status = Status(code=code, message=message)
    if retry_seconds is not None:
        status.details.add().Pack(_retry(retry_seconds))
    content: bytes = status.SerializeToString()
    return content


def retry_info(seconds: int) -> bytes:
    """When to come again, in protobuf."""
    content: bytes = _retry(seconds).SerializeToString()
    return content


def _retry(seconds: int) -> RetryInfo:
    return RetryInfo(retry_delay=Duration(seconds=seconds))
