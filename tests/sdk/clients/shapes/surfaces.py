"""The main API of each client."""

from __future__ import annotations

import pytest

from shapes import anthropic_messages, google_generate, openai_chat, openai_responses

SURFACES = (openai_chat.SURFACE, openai_responses.SURFACE, anthropic_messages.SURFACE, google_generate.GEMINI)
every_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
