"""The `fireworks-ai` client."""

from __future__ import annotations

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration
from tokentrace.wire import batch, chat, completions, messages

_JOB = "get .*/accounts/[^/]+/batchInferenceJobs/[^/]+"

INTEGRATION = Integration(
    library="fireworks-ai",
    seams=_stainless.seams(
        "fireworks",
        provider="fireworks",
        endpoints=(
            Endpoint("/chat/completions", "chat", chat.FORMAT),
            Endpoint("/completions", "text_completion", completions.FORMAT),
            Endpoint("/messages", "chat", messages.FORMAT),
            # A job tells what it took; its answers are fetched from a store, by other means.
            Endpoint("/accounts/[^/]+/batchInferenceJobs", "batch", batch.FORMAT, retrieve=_JOB),
        ),
    ),
    attempts=_stainless.SENDS,
)
