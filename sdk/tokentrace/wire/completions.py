"""OpenAI's legacy completions: Chat Completions with bare text in its choices."""

from __future__ import annotations

from tokentrace.reading import Format
from tokentrace.wire import chat

FORMAT = Format("completions", chat.read, chat.count, chat.FORMAT.marks, chat.say)
