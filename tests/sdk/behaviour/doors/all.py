"""Every door, in the order of the table."""

from __future__ import annotations

from behaviour.door import Door
from behaviour.doors import anthropic, boto3, google, groq, litellm, mistral, openai

DOORS: tuple[Door, ...] = (
    openai.CHAT,
    openai.RESPONSES,
    anthropic.MESSAGES,
    google.GEMINI,
    groq.GROQ,
    mistral.MISTRAL,
    boto3.CONVERSE,
    litellm.OPENAI,
    litellm.HANDLERS,
)
