"""What Mistral answers to the quick starts of `mistralai`."""

from __future__ import annotations

from typing import Any

from shapes.api import data, named

MODEL = "mistral-large-latest"
MESSAGES = [{"role": "user", "content": "What is the best French cheese?"}]
ID = {"id": "cmpl-1", "object": "chat.completion", "created": 1, "model": MODEL}
USAGE = {
    "prompt_tokens": 40,
    "completion_tokens": 63,
    "total_tokens": 103,
    "prompt_tokens_details": {"cached_tokens": 16},
    "service_tier": "standard",
}
TOKENS = {"input_text": 24, "cache_read": 16, "output_text": 63}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Taste differs."}]}


def _message(content: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "tool_calls": None}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}


def _chunk(content: Any, finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
    return data(ID | {"object": "chat.completion.chunk", "choices": [choice]} | more)


ANSWER = ID | _message("Comté.")
REASONED = ID | _message([THOUGHT, {"type": "text", "text": "Comté."}])
EVENTS = (_chunk(""), _chunk("Comté."), _chunk("", "stop", usage=USAGE), b"data: [DONE]\n\n")
EMBEDDED = {
    "id": "e-1",
    "object": "list",
    "model": "mistral-embed",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.125] * 4096}],
    "usage": {"prompt_tokens": 15, "total_tokens": 15, "completion_tokens": 0},
}
TALK = {"prompt_tokens": 188, "completion_tokens": 55, "total_tokens": 7355, "connector_tokens": 7112}
CONNECTED = TALK | {"connectors": {"web_search": 1, "code_interpreter": 2}}
TALK_TOKENS = {"input_text": 188, "tool_use_prompt": 7112, "output_text": 55}
METERS = {"web_search": 1, "code_execution": 2}
OUTPUT = {"object": "entry", "type": "message.output", "id": "m-1", "role": "assistant", "model": "mistral-medium-2505"}
CONVERSED = {
    "object": "conversation.response",
    "conversation_id": "conv-1",
    "outputs": [OUTPUT | {"content": "Comté."}],
    "usage": CONNECTED,
}
CONVERSATION = (
    named({"type": "conversation.response.started", "conversation_id": "conv-1"}),
    named(OUTPUT | {"type": "message.output.delta", "content": "Comté."}),
    named({"type": "conversation.response.done", "usage": CONNECTED}),
)
BROKEN = (*CONVERSATION[:2], named({"type": "conversation.response.error", "message": "internal", "code": 3000}))
READ = {
    "model": "mistral-ocr-latest",
    "pages": [{"index": 0, "markdown": "# Title", "images": [], "dimensions": {"dpi": 1, "height": 1, "width": 1}}],
    "usage_info": {"pages_processed": 29, "doc_size_bytes": 3_002_783},
}
HEARD = {
    "model": "voxtral-mini-latest",
    "text": "Hello.",
    "language": None,
    "segments": [],
    "usage": {"prompt_audio_seconds": 203, "prompt_tokens": 4, "completion_tokens": 635, "total_tokens": 639},
}
HEARD_TOKENS = {"input_text": 4, "output_text": 635}
TRANSCRIPT = (
    named({"type": "transcription.text.delta", "text": "Hello."}),
    named(HEARD | {"type": "transcription.done"}),
)
JUDGED = {"id": "mod-1", "model": "mistral-moderation-latest", "results": []}
