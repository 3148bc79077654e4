"""The `cerebras-cloud-sdk` client."""

from __future__ import annotations

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration

INTEGRATION = Integration(
    library="cerebras-cloud-sdk",
    seams=_stainless.seams(
        "cerebras.cloud.sdk",
        provider="cerebras",
        endpoints=(
            Endpoint("/chat/completions", "chat", "chat"),
            Endpoint("/completions", "text_completion", "completions"),
        ),
    ),
    attempts=_stainless.SENDS,
)
