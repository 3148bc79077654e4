"""The `fireworks-ai` client."""

from __future__ import annotations

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration

_JOB = "get .*/accounts/[^/]+/batchInferenceJobs/[^/]+"

INTEGRATION = Integration(
    library="fireworks-ai",
    seams=_stainless.seams(
        "fireworks",
        provider="fireworks",
        endpoints=(
            Endpoint("/chat/completions", "chat", "chat"),
            Endpoint("/completions", "text_completion", "completions"),
            Endpoint("/messages", "chat", "messages"),
            # A job tells what it took; its answers are fetched from a store, by other means.
            Endpoint("/accounts/[^/]+/batchInferenceJobs", "batch", "batch", retrieve=_JOB),
        ),
    ),
    attempts=_stainless.SENDS,
)
