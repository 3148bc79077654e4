"""Wire formats. Pure: no vendor import, no OpenTelemetry, no I/O."""

from __future__ import annotations

from collections.abc import Mapping

from tokentrace.reading import Format
from tokentrace.wire import chat, completions, embeddings, gemini, messages, responses

_APIS: Mapping[Format, str] = {
    chat.FORMAT: "chat chat.stream",
    completions.FORMAT: "completions",
    responses.FORMAT: "responses responses.stream responses-compact",
    messages.FORMAT: "messages messages.stream raw-predict",
    gemini.FORMAT: "gemini generate generate_content stream-generate generate_content_stream live",
    embeddings.FORMAT: "embeddings",
}

FORMATS: Mapping[str, Format] = {api: format_ for format_, names in _APIS.items() for api in names.split()}
"""Every wire format, by the names of the APIs that speak it."""
