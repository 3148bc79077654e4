"""The `together` client."""

from __future__ import annotations

from tokentrace.clients import _stainless, _together_sessions
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Integration

INTEGRATION = Integration(
    library="together",
    seams=_stainless.seams(
        "together",
        provider="together",
        endpoints=(
            Endpoint("/chat/completions", "chat", "chat"),
            Endpoint("/completions", "text_completion", "completions"),
            Endpoint("/embeddings", "embeddings", "embeddings"),
            # The counts of a reranking are those of an embedding: what was read.
            Endpoint("/rerank", "rerank", "embeddings"),
            Endpoint("/images/generations", "image_generation", "images"),
            Endpoint("/audio/speech", "speech", "speech", facts=_stainless.characters),
            Endpoint("/audio/(?:transcriptions|translations)", "transcription", "transcription"),
            Endpoint("/videos", "video_generation", "videos"),
            # A job never says what it took; the file of its results does.
            Endpoint(_stainless.READ_ONLY, "chat", "batch.RESULTS", retrieve="get .*/files/[^/]+/content"),
        ),
    ),
    attempts=_stainless.SENDS,
    sessions=_together_sessions.SEAMS,
)
