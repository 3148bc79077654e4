"""OpenAI's legacy completions: Chat Completions with bare text in its choices."""

from __future__ import annotations

from tokentrace.usage.reading import Format
from tokentrace.wire import chat
from tokentrace.wire.prompts import plain

FORMAT = Format("completions", chat.read, chat.count, chat.FORMAT.marks, say=chat.say, compose=plain.compose)
