"""The names that a library of model architectures may know a model by, from those that calls tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tokentrace_collector.prices import resolution
from tokentrace_collector.prices.aliases import Name

_MAKERS = {
    "openai": "openai",
    "azure.ai.openai": "openai",
    "anthropic": "anthropic",
    "gcp.gemini": "google_genai",
    "mistral_ai": "mistralai",
    "cohere": "cohere",
    "huggingface": "huggingface_hub",
}
"""Who sells models of one maker, by the OpenTelemetry name: the maker as ecologits calls it."""
_RESELLERS = frozenset(
    {
        "",
        "aws.bedrock",
        "azure.ai.inference",
        "databricks",
        "gcp.vertex_ai",
        "github_copilot",
        "github_models",
        "litellm",
        "openrouter",
        "snowflake",
        "vercel",
    }
)
"""Who sells models of many makers, on machines of the kind that these use; the name of a model tells the maker."""
_RESOLD = ("openai", "anthropic", "google_genai", "mistralai", "cohere")

# us.anthropic.claude-…, regional.anthropic.claude-…: never the version of gpt-5.4.
_SELLER = re.compile(r"^(?:[a-z-]+\.)+(?=[a-z])")
_REVISION = re.compile(r"-v\d+$")
_DATE = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|default)$")


def candidates(told: Name) -> Iterator[Name]:
    """The names to look for, the most exact first."""
    seller = resolution.provider_name(told.provider) or told.provider
    makers = _RESOLD if seller in _RESELLERS else filter(None, (_MAKERS.get(seller),))
    spellings = list(dict.fromkeys(_spellings(told.model)))
    return (Name(maker, spelling) for maker in makers for spelling in spellings)


def _spellings(model: str) -> Iterator[str]:
    yield model
    # arn:…:inference-profile/us.anthropic.…-v1:0, publishers/google/models/…, ft:gpt-4o-mini-…:acme::id
    last = model.rpartition("/")[2].removeprefix("ft:").partition(":")[0]
    # claude-sonnet-4-5@20250929 is of Vertex.
    bare = _REVISION.sub("", _SELLER.sub("", last)).replace("@", "-")
    for each in (bare, _DATE.sub("", bare)):
        yield each
        # claude-sonnet-4.5 is of OpenRouter.
        yield each.replace(".", "-")
