"""Bedrock by `botocore`, on which `boto3` and `aiobotocore` are built."""

from __future__ import annotations

import json
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import urlsplit

from tokentrace.integration import AttemptSeam, Call, Integration, Request, Seam
from tokentrace.streams import tap
from tokentrace.streams.readable import AsyncReadTap, Gathered, ReadTap
from tokentrace.streams.tap import AsyncByteTap, Listener
from tokentrace.usage.reading import Format, dig, text
from tokentrace.wire import converse, guardrail, invoke, managed

_FIRST_UNWANTED = 300

_BILLED = {
    "bedrock-runtime": {
        "Converse": ("chat", converse.FORMAT),
        "ConverseStream": ("chat", converse.FORMAT),
        "InvokeModel": ("chat", invoke.FORMAT),
        "InvokeModelWithResponseStream": ("chat", invoke.FORMAT),
        "StartAsyncInvoke": ("generate_content", managed.FORMAT),
        "ApplyGuardrail": ("apply_guardrail", guardrail.FORMAT),
        "InvokeGuardrailChecks": ("apply_guardrail", guardrail.FORMAT),
    },
    "bedrock-agent-runtime": {
        "InvokeAgent": ("invoke_agent", managed.FORMAT),
        "InvokeInlineAgent": ("invoke_agent", managed.FORMAT),
        "InvokeFlow": ("invoke_workflow", managed.FORMAT),
        "StartFlowExecution": ("invoke_workflow", managed.FORMAT),
        "Retrieve": ("retrieval", managed.FORMAT),
        "AgenticRetrieveStream": ("retrieval", managed.FORMAT),
        "RetrieveAndGenerate": ("chat", managed.FORMAT),
        "RetrieveAndGenerateStream": ("chat", managed.FORMAT),
        "Rerank": ("rerank", managed.FORMAT),
        "GenerateQuery": ("chat", managed.FORMAT),
        "OptimizePrompt": ("chat", managed.FORMAT),
    },
}
"""Operation and format of what costs money, by service and API."""

_AGENTIC = ("agenticRetrieveConfiguration", "foundationModelConfiguration")
_MODELS = (
    ("modelId",),
    ("foundationModel",),
    ("targetModelId",),
    ("retrieveAndGenerateConfiguration", "knowledgeBaseConfiguration", "modelArn"),
    ("retrieveAndGenerateConfiguration", "externalSourcesConfiguration", "modelArn"),
    (*_AGENTIC, "bedrockFoundationModelConfiguration", "modelConfiguration", "modelArn"),
    (*_AGENTIC, "mantleFoundationModelConfiguration", "modelConfiguration", "modelArn"),
    ("rerankingConfiguration", "bedrockRerankingConfiguration", "modelConfiguration", "modelArn"),
)
"""Where a request names its model."""

_KINDS = {"embed": "embeddings", "rerank": "rerank"}
"""Operations of InvokeModel that a model is named after."""


def _describe(call: Call) -> Request | None:
    client = call.instance
    billed = _BILLED.get(client.meta.service_model.service_name)
    api = call.arg(0, "operation_name")
    if billed is None or api not in billed:
        return None
    operation, fmt = billed[api]
    asked = call.arg(1, "api_params")
    named = next((name for path in _MODELS if (name := text(dig(asked, *path)))), None)
    if fmt is invoke.FORMAT:
        operation = next((kind for part, kind in _KINDS.items() if part in (named or "")), operation)
    address: str = client._endpoint.host
    url = urlsplit(address)
    return Request(
        provider="aws.bedrock",
        operation=operation,
        model=converse.model_of(named) if named else None,
        format=fmt,
        host=url.hostname,
        port=url.port,
        stream=api.endswith("Stream"),
        http=client._endpoint,
        facts={"region": client.meta.region_name, "output_limit": dig(asked, "inferenceConfig", "maxTokens")},
        prompt=asked,
    )


def _kept(call: Call, response: Any, _fmt: Format) -> bytes | None:
    """The body, in which is more than botocore knows of; of one that is still to come, what its headers say."""
    if response.status_code >= _FIRST_UNWANTED:
        return None
    if not call.arg(0, "request").stream_output:
        kept: bytes | None = response._content
        return kept
    told = {name: value for name, value in response.headers.items() if name.lower().startswith("x-amzn-bedrock-")}
    return json.dumps(told).encode()


def _tap(result: Any, listener: Listener) -> Any:
    """Of what a call returns, the one member that is still to be read."""
    for name, member in result.items():
        if hasattr(member, "_event_generator"):
            result[name] = tap.parts(member, listener)
            return result
        # Before its release 3.10, a body of aiobotocore is a proxy of the response itself.
        raw = getattr(member, "_raw_stream", member)
        if iscoroutinefunction(getattr(raw, "read", None)):
            raw.content = AsyncReadTap(raw.content, Gathered(listener))
            return result
        if hasattr(raw, "aread"):
            raw.stream = AsyncByteTap(raw.stream, Gathered(listener))
            return result
        if raw is not member:
            member._raw_stream = ReadTap(raw, Gathered(listener))
            return result
    return None


INTEGRATION = Integration(
    library="boto3",
    seams=(
        Seam("botocore.client", "BaseClient._make_api_call", _describe, tap=_tap),
        Seam("aiobotocore.client", "AioBaseClient._make_api_call", _describe, awaited=True, tap=_tap),
    ),
    attempts=(
        AttemptSeam("botocore.endpoint", "Endpoint._send", kept=_kept),
        AttemptSeam("aiobotocore.endpoint", "AioEndpoint._send", awaited=True, kept=_kept),
    ),
)
