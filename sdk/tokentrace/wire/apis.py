"""Which wire format is spoken on an API."""

from __future__ import annotations

from collections.abc import Mapping

from tokentrace.usage.reading import Format
from tokentrace.wire import (
    agent,
    batch,
    caches,
    chat,
    cohere,
    completions,
    conversations,
    converse,
    embeddings,
    gemini,
    generation,
    guardrail,
    images,
    interactions,
    invoke,
    live,
    managed,
    messages,
    ocr,
    ollama,
    predict,
    responses,
    runs,
    speech,
    transcription,
    veo,
    videos,
    xai,
)

_SPOKEN: tuple[tuple[Format, str], ...] = (
    (chat.FORMAT, "chat chat.stream"),
    (conversations.FORMAT, "conversations"),
    (generation.FORMAT, "text-generation"),
    (ocr.FORMAT, "ocr"),
    (completions.FORMAT, "completions"),
    (responses.FORMAT, "responses responses.stream responses-compact realtime decisions"),
    (messages.FORMAT, "messages messages.stream raw-predict legacy-complete"),
    (gemini.FORMAT, "gemini generate generate_content generate_content_stream stream-generate"),
    (interactions.FORMAT, "interactions"),
    (caches.FORMAT, "caches"),
    (veo.FORMAT, "operations"),
    (live.FORMAT, "live"),
    (predict.FORMAT, "predict"),
    (embeddings.FORMAT, "embeddings"),
    (images.FORMAT, "images"),
    (transcription.FORMAT, "transcription audio-transcriptions"),
    (speech.FORMAT, "speech"),
    (videos.FORMAT, "videos"),
    (runs.FORMAT, "assistants runs"),
    (batch.FORMAT, "batch batches"),
    (converse.FORMAT, "converse converse_stream converse-stream"),
    (invoke.FORMAT, "invoke invoke_model invoke-stream"),
    (guardrail.FORMAT, "guardrail apply_guardrail"),
    (managed.FORMAT, "invoke_agent"),
    (agent.FORMAT, "result"),
    (xai.FORMAT, "grpc"),
    (ollama.FORMAT, "ollama ollama-chat ollama-generate"),
)

_DIALECTS: tuple[tuple[Format, str, str], ...] = (
    (predict.FORMAT, "gcp.gemini gcp.vertex_ai", "embeddings"),
    (interactions.FORMAT, "gcp.gemini gcp.vertex_ai", "decisions"),
    (cohere.FORMAT, "cohere", "chat rerank"),
    (cohere.EMBEDDINGS, "cohere", "embeddings"),
    (ollama.FORMAT, "ollama", "chat"),
)
"""Formats of providers that mean something of their own by the name of an API."""

FORMATS: Mapping[str, Format] = {api: spoken for spoken, apis in _SPOKEN for api in apis.split()}
"""Every wire format, by the names of the APIs that speak it."""

_BY_PROVIDER: Mapping[tuple[str, str], Format] = {
    (provider, api): spoken
    for spoken, providers, apis in _DIALECTS
    for provider in providers.split()
    for api in apis.split()
}


def spoken_by(provider: str, api: str) -> Format | None:
    """The format that a provider, by its OpenTelemetry name, speaks on an API."""
    return _BY_PROVIDER.get((provider, api)) or FORMATS.get(api)
