"""The quick starts of `cohere` for its models at Amazon and Oracle."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from shapes.api import call, failed
from shapes.eventstream import frame, frames
from shapes.provider import refused, reply, stream

from quickstarts.quickstart import Quickstart

MODEL = "cohere.command-r-plus-v1:0"
COUNTED = {"X_Amzn_Bedrock_Input_Token_Count": "5", "X_Amzn_Bedrock_Output_Token_Count": "7"}
TOKENS = {"input_text": 5, "output_text": 7}
V1 = {"response_id": "r-1", "generation_id": "g-1", "text": "Hello!", "finish_reason": "COMPLETE"}
V2 = {
    "id": "c-1",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello!"}]},
    "finish_reason": "COMPLETE",
}
VECTORS = {"id": "e-1", "embeddings": [[0.5, 0.25]], "texts": ["hello"], "response_type": "embeddings_floats"}
METRICS = {"inputTokenCount": 5, "outputTokenCount": 7, "invocationLatency": 900, "firstByteLatency": 300}


def _chunk(event: dict[str, Any]) -> bytes:
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})


CHUNKS = (
    _chunk({"is_finished": False, "event_type": "text-generation", "text": "Hello!"}),
    _chunk(
        {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": V1}
        | {"amazon-bedrock-invocationMetrics": METRICS}
    ),
)


def _on_loopback(client: Any, url: str) -> Any:
    """A client whose requests end here, wherever they are addressed to."""
    import httpx

    class Transport(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            here = urlsplit(url)
            request.url = request.url.copy_with(scheme=here.scheme, host=here.hostname, port=here.port)
            return super().handle_request(request)

    client._client_wrapper.httpx_client.httpx_client._transport = Transport()
    return client


def _aws(kind: str, url: str) -> Any:
    import cohere

    client = getattr(cohere, kind)(aws_access_key="-", aws_secret_key="-", aws_region="us-east-1")
    return _on_loopback(client, url)


def _oracle(kind: str, url: str) -> Any:
    import cohere

    # Oracle's own library is large, and only signs.
    signer = SimpleNamespace(do_request_sign=lambda request: request.headers.update(host=urlsplit(request.url).netloc))
    library: Any = ModuleType("oci")
    library.signer = SimpleNamespace(Signer=lambda **_: signer)
    sys.modules.setdefault("oci", library)
    client = getattr(cohere, kind)(
        oci_user_id="-",
        oci_fingerprint="-",
        oci_tenancy_id="-",
        oci_private_key_content="-",
        oci_region="us-chicago-1",
        oci_compartment_id="-",
    )
    return _on_loopback(client, url)


def bedrock(url: str) -> Any:
    return _aws("BedrockClient", url).chat(model=MODEL, message="Hello!").text


def bedrock_streamed(url: str) -> Any:
    co = _aws("BedrockClient", url)
    return [event.event_type for event in co.chat_stream(model=MODEL, message="Hello!")]


def bedrock_embed(url: str) -> Any:
    co = _aws("BedrockClient", url)
    ask: Any = {"model": "cohere.embed-english-v3", "texts": ["hello"], "input_type": "search_document"}
    return co.embed(**ask).embeddings


def sagemaker(url: str) -> Any:
    return _aws("SagemakerClient", url).chat(model="my-endpoint", message="Hello!").text


def oracle(url: str) -> Any:
    return _oracle("OciClient", url).chat(model="command-r-08-2024", message="Hello!").text


def oracle_v2(url: str) -> Any:
    messages: Any = [{"role": "user", "content": "Hello!"}]
    return _oracle("OciClientV2", url).chat(model="command-a-03-2025", messages=messages).finish_reason


def oracle_streamed(url: str) -> Any:
    co = _oracle("OciClient", url)
    return [event.event_type for event in co.chat_stream(model="command-r-08-2024", message="Hello!")]


def oracle_v2_streamed(url: str) -> Any:
    messages: Any = [{"role": "user", "content": "Hello!"}]
    co = _oracle("OciClientV2", url)
    return [event.type for event in co.chat_stream(model="command-a-03-2025", messages=messages)]


USED = {"promptTokens": 5, "inputTokens": 5, "completionTokens": 7, "totalTokens": 12}
SPOKEN = {"chatResponse": {"text": "Hello!", "finishReason": "COMPLETE", "usage": USED}}
UNCOUNTED = {"chatResponse": {"text": "Hello!", "finishReason": "COMPLETE"}}
ANSWERED = {
    "chatResponse": {
        "id": "c-1",
        "message": {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Hello!"}]},
        "finishReason": "COMPLETE",
        "usage": USED,
    }
}


def _event(told: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


EVENTS = (
    _event({"apiFormat": "COHERE", "text": "Hello!"}),
    _event({"apiFormat": "COHERE", "finishReason": "COMPLETE", "usage": USED}),
)
V2_EVENTS = (
    _event({"apiFormat": "COHEREV2", "message": {"role": "ASSISTANT", "content": [{"type": "TEXT", "text": "Hi."}]}}),
    _event({"apiFormat": "COHEREV2", "finishReason": "COMPLETE", "usage": USED}),
)


def _has(kind: str) -> Callable[[], bool]:
    """Whether there is such a client, and what it signs its requests with."""

    def found() -> bool:
        import cohere

        return hasattr(cohere, kind) and find_spec("boto3") is not None

    return found


WHOLE, STREAMED, UNTOLD = call(TOKENS), call(TOKENS, end="complete"), call({}, source="missing")
LOST = UNTOLD | {"end": "complete"}

QUICKSTARTS = (
    Quickstart("Bedrock", bedrock, (reply(V1, **COUNTED),), (WHOLE,), needs=_has("BedrockClient")),
    Quickstart(
        "Bedrock streamed",
        bedrock_streamed,
        (frames(CHUNKS),),
        (STREAMED,),
        needs=_has("BedrockClient"),
    ),
    Quickstart(
        "Bedrock embed",
        bedrock_embed,
        (reply(VECTORS, X_Amzn_Bedrock_Input_Token_Count="2"),),
        (call({"input_text": 2}),),
        needs=_has("BedrockClient"),
    ),
    # Before there was a client for Oracle, that for SageMaker needed a library for training, too.
    Quickstart("SageMaker", sagemaker, (reply(V1),), (UNTOLD,), needs=_has("OciClient")),
    Quickstart("Oracle", oracle, (reply(SPOKEN),), (WHOLE,), needs=_has("OciClient")),
    Quickstart("Oracle uncounted", oracle, (reply(UNCOUNTED),), (UNTOLD,), needs=_has("OciClient")),
    Quickstart("Oracle v2", oracle_v2, (reply(ANSWERED),), (WHOLE,), needs=_has("OciClient")),
    Quickstart("Oracle refused", oracle, (refused(400),), (failed([400], "400"),), needs=_has("OciClient")),
    Quickstart("Oracle streamed", oracle_streamed, (stream(EVENTS),), (LOST,), needs=_has("OciClient")),
    Quickstart("Oracle v2 streamed", oracle_v2_streamed, (stream(V2_EVENTS),), (STREAMED,), needs=_has("OciClient")),
)
