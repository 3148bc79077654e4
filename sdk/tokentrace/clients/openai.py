"""The `openai` client: OpenAI, Azure OpenAI, and every server that speaks its API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tokentrace.clients import _openai_sessions, _stainless
from tokentrace.clients._stainless import Endpoint
from tokentrace.integration import Call, Integration
from tokentrace.usage.reading import NOTHING, dig, text

_STORED = "get .*/responses/[^/]+|post .*/responses/[^/]+/cancel"
_BATCH = "get .*/batches/[^/]+|post .*/batches/[^/]+/cancel"
# A run counts all its steps together, those after the outputs of tools too.
_RUN = "(?:get|post) .*/threads/[^/]+/runs/[^/]+|post .*/threads/[^/]+/runs/[^/]+/(?:submit_tool_outputs|cancel)"


def _characters(body: Any) -> Mapping[str, Any]:
    """What is to be spoken; OpenAI's newer models are billed by tokens instead."""
    spoken, model = text(dig(body, "input")), text(dig(body, "model"))
    return {"characters": len(spoken)} if spoken and not (model or "").startswith("gpt-") else NOTHING


def _added_seconds(body: Any) -> Mapping[str, Any]:
    return {"added_seconds": dig(body, "seconds")}


def _ask(call: Call, provider: str) -> Call | None:
    # Only where `stream_usage` is on.
    from tokentrace.clients import _usage_option  # noqa: PLC0415

    return _usage_option.ask(call, provider)


INTEGRATION = Integration(
    library="openai",
    seams=_stainless.seams(
        "openai",
        provider="openai",
        endpoints=(
            Endpoint("/chat/completions", "chat", "chat"),
            Endpoint("/responses", "chat", "responses", retrieve=_STORED),
            Endpoint("/responses/compact", "chat", "responses"),
            Endpoint("/completions", "text_completion", "completions"),
            Endpoint("/embeddings", "embeddings", "embeddings"),
            Endpoint("/decisions", "decision", "responses"),
            Endpoint("/images/(?:generations|edits|variations)", "image_generation", "images"),
            Endpoint("/audio/speech", "speech", "speech", facts=_characters),
            Endpoint("/audio/(?:transcriptions|translations)", "transcription", "transcription"),
            Endpoint("/videos(?:/edits|/[^/]+/remix)?", "video_generation", "videos"),
            Endpoint("/videos/extensions", "video_generation", "videos", facts=_added_seconds),
            Endpoint("/batches", "batch", "batch", retrieve=_BATCH),
            Endpoint("/threads/(?:[^/]+/)?runs", "chat", "runs", retrieve=_RUN),
        ),
        kinds={"AzureOpenAI": "azure.ai.openai"},
        ask=_ask,
    ),
    attempts=_stainless.SENDS,
    sessions=_openai_sessions.SEAMS,
)
