"""Clients of `google-genai` that talk to loopback."""

from __future__ import annotations

from typing import Any


def gemini(url: str, **options: Any) -> Any:
    """The Gemini API."""
    from google import genai

    return genai.Client(api_key="-", http_options={"base_url": url, **options})


def vertex(url: str) -> Any:
    """Vertex AI."""
    from google import genai
    from google.auth.credentials import AnonymousCredentials

    class Credentials(AnonymousCredentials):
        def refresh(self, request: Any) -> None:
            self.token = "-"

    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(),
        http_options={"base_url": url},
    )
