"""The `groq` client."""

from __future__ import annotations

from tokentrace.clients import _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration

INTEGRATION = Integration(
    library="groq",
    seams=_stainless.seams(
        "groq",
        provider="groq",
        endpoints=(
            Endpoint("/chat/completions", "chat", "chat"),
            Endpoint("/embeddings", "embeddings", "embeddings"),
            Endpoint("/audio/speech", "speech", "speech", facts=_stainless.characters),
            Endpoint("/audio/(?:transcriptions|translations)", "transcription", "transcription"),
            # A job never says what it took; the file of its results does.
            Endpoint(_stainless.READ_ONLY, "chat", "batch.RESULTS", retrieve="get .*/files/[^/]+/content"),
        ),
    ),
    attempts=_stainless.SENDS,
)
