"""The `anthropic` client: the Anthropic API, and Claude at Bedrock, Vertex and Foundry."""

from __future__ import annotations

from tokentrace.calls import native
from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration

INTEGRATION = Integration(
    library="anthropic",
    seams=_stainless.seams(
        "anthropic",
        provider="anthropic",
        endpoints=(
            Endpoint("/v1/messages", "chat", "messages"),
            Endpoint(
                _stainless.READ_ONLY, "chat", "batch.RESULTS", retrieve="get .*/v1/messages/batches/[^/]+/results"
            ),
            # It never says what it took.
            Endpoint("/v1/complete", "text_completion", "messages"),
        ),
        # `AnthropicAWS` and `AnthropicGoogleCloud` are the Anthropic API itself, behind the gateway of another.
        kinds={
            "AnthropicBedrock": "aws.bedrock",
            "AnthropicBedrockMantle": "aws.bedrock",
            "AnthropicVertex": "gcp.vertex_ai",
            "AnthropicFoundry": "azure.ai.inference",
        },
    ),
    attempts=_stainless.SENDS,
    attach={"anthropic._base_client": native.silence("start_api_call_span")},
)
