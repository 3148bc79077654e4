"""The `openai` client: OpenAI, Azure OpenAI, and every server that speaks its API."""

from __future__ import annotations

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration
from tokentrace.wire import chat, completions, embeddings, responses

_STORED = "get .*/responses/[^/]+|post .*/responses/[^/]+/cancel"

INTEGRATION = Integration(
    library="openai",
    seams=_stainless.seams(
        "openai",
        provider="openai",
        endpoints=(
            Endpoint("/chat/completions", "chat", chat.FORMAT),
            Endpoint("/responses", "chat", responses.FORMAT, retrieve=_STORED),
            Endpoint("/responses/compact", "chat", responses.FORMAT),
            Endpoint("/completions", "text_completion", completions.FORMAT),
            Endpoint("/embeddings", "embeddings", embeddings.FORMAT),
        ),
        kinds={"AzureOpenAI": "azure.ai.openai"},
    ),
    attempts=_stainless.SENDS,
)
