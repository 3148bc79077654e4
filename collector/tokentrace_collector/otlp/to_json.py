"""A trace request as OTLP writes it in JSON, for people to read."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def document(content: bytes) -> Any:
    """What a request says, in protobuf or in JSON; of what is neither, its bytes in hexadecimal and what is wrong."""
    try:
        if content.lstrip().startswith(b"{"):
            return json.loads(content)
        return _in_hex(MessageToDict(ExportTraceServiceRequest.FromString(content)))
    except (DecodeError, ValueError) as error:
        return {"undecodable": str(error), "hex": content.hex()}


def _in_hex(node: Any) -> Any:
    """The same with ids as OTLP has them: protobuf writes bytes in base64."""
    if isinstance(node, dict):
        members = cast("dict[str, Any]", node).items()
        return {key: b64decode(value).hex() if key in _IDS else _in_hex(value) for key, value in members}
    if isinstance(node, list):
        return [_in_hex(each) for each in cast("Sequence[Any]", node)]
    return node
