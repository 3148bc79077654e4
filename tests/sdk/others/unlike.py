"""What other instrumentations tell of a call otherwise than ours does, or not at all, though the provider said it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from others.likeness import EVERYTHING, OTHERWISE, UNTOLD


@dataclass(frozen=True, slots=True)
class Unlike:
    """An exception that is known; the test fails where it is no longer needed."""

    doors: tuple[str, ...]
    """The doors of the clients where it is so."""
    field: str
    how: str
    why: str

    @property
    def differences(self) -> set[tuple[str, str, str]]:
        """As `likeness` finds them."""
        return {(door, self.field, self.how) for door in self.doors}


_OPENAI = ("openai chat", "openai responses")

UNLIKE: Mapping[str, tuple[Unlike, ...]] = {
    "OpenTelemetry GenAI": (),
    "OpenTelemetry openai-v2": (
        Unlike(("openai chat",), "reasoning", UNTOLD, "It tells of input and output alone."),
        Unlike(("openai chat",), "cache read", UNTOLD, "It tells of input and output alone."),
        Unlike(("openai chat",), "cache write", UNTOLD, "It tells of input and output alone."),
    ),
    "OpenLLMetry": (
        Unlike(("anthropic",), "output", OTHERWISE, "It counts the first token of a stream twice."),
        Unlike(
            ("anthropic", "groq", "openai chat"), "reasoning", UNTOLD, "It has no attribute for it, or not of streams."
        ),
        Unlike(_OPENAI, "cache write", UNTOLD, "Writes are in the input, and only reads are told apart."),
        Unlike(
            ("google-genai",), "model", OTHERWISE, "It names the model that was asked for as the one that answered."
        ),
        Unlike(("groq",), "response id", UNTOLD, "It leaves the id out of streams."),
    ),
    "OpenInference": (
        Unlike(
            ("anthropic", "google-genai", "groq", "mistral", *_OPENAI),
            "response id",
            UNTOLD,
            "Its convention has no attribute for it.",
        ),
        Unlike(("mistral",), "cache read", UNTOLD, "It reads no details of what Mistral counts."),
    ),
    "Logfire": (
        Unlike(
            ("google-genai",),
            EVERYTHING,
            UNTOLD,
            "It leaves Google to OpenTelemetry's instrumentation, if that is there.",
        ),
    ),
    "OpenTelemetry google-genai": (),
    "OpenLIT": (
        Unlike(("anthropic", *_OPENAI), "reasoning", UNTOLD, "It is in the output, and not told apart."),
        Unlike(("anthropic",), "input", OTHERWISE, "Of a stream it tells the input without what was cached."),
        Unlike(("anthropic", "openai responses"), "cache read", UNTOLD, "Not of streams, nor of responses read again."),
        Unlike(
            ("anthropic", "openai responses"), "cache write", UNTOLD, "Not of streams, nor of responses read again."
        ),
    ),
    "Langfuse": (
        Unlike(_OPENAI, "provider", UNTOLD, "Its spans name the model alone."),
        Unlike(_OPENAI, "response id", UNTOLD, "Its spans do not have it."),
    ),
}
"""By the name of who tells: everybody whose telling is held against ours, those without an exception too."""
