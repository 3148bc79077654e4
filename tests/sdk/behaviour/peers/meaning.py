"""What the spans of each instrumentation mean, as its own documentation and code have it.

* Tokens are read under the names that an instrumentation writes, and all its spans that carry usage are summed: none of them
  documents another rule. What it keeps of its own for response ids and the like is not usage.
* Input includes what was read from a cache and written to it, and output includes reasoning, as the conventions of OpenTelemetry
  and of OpenInference say. OpenLIT adds the cache to the input of Anthropic and Bedrock where it computes their cost
  (`openlit/__helpers.py`, `prompt_tokens_include_cache`), so we do too.
* Langfuse and Logfire keep the usage object of the provider as JSON; what stands in it counts as told.
* Whatever an instrumentation has for the clients of an environment is on, as in an application that uses more than one.
* LiteLLM writes into the span of the application, unless it is told to make its own: it is told.
* OpenLLMetry and OpenLIT know `mistralai` as it was before 2.0: they are not measured with it.
* What the provider has not told the application is nothing that anybody has to know.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from shapes.record import INPUT

from behaviour.play import Record
from behaviour.verdict import counted, reported

SCOPE = "tokentrace.usage.scope"
"""An attribute that all spans of ours have which are of calls."""
SIDES = ("input", "output", "cache read", "cache write", "reasoning")
Usage = dict[str, int]
"""Tokens by side; a side is absent where nothing was said."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "input": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "output": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "cache read": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "cache write": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "reasoning": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
}
"""Attributes, the one that counts first."""
OF_PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "input": ("input", "prompt_tokens", "input_tokens"),
    "output": ("output", "completion_tokens", "output_tokens"),
    "cache read": ("cached_tokens", "cache_read_input_tokens"),
    "cache write": ("cache_write_tokens", "cache_creation_input_tokens"),
    "reasoning": ("reasoning_tokens", "thinking_tokens"),
}
"""The same in the usage objects of the providers, at whatever depth."""
OBJECTS = ("langfuse.observation.usage_details", "gen_ai.usage.raw")
"""Attributes that hold such an object."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the spans of one instrumentation are read."""

    on_top: frozenset[str] = frozenset()
    """The doors for which its input leaves out what has to do with the cache."""

    def usages(self, door: str, spans: Iterable[ReadableSpan]) -> list[Usage]:
        """What each span says that carries usage."""
        told = (_told(dict(span.attributes or {})) for span in spans)
        return [self._whole(door, usage) for usage in told if any(usage.values())]

    def _whole(self, door: str, usage: Usage) -> Usage:
        if door not in self.on_top:
            return usage
        return usage | {"input": sum(usage.get(side, 0) for side in ("input", "cache read", "cache write"))}


class Ours(Meaning):
    """Buckets that add up, on the spans that bear cost."""

    def usages(self, door: str, spans: Iterable[ReadableSpan]) -> list[Usage]:
        """What each span says that bears cost, estimates aside."""
        calls = [span for span in spans if SCOPE in (span.attributes or {})]
        return [by_side(record) for record in counted(reported(calls))]


def by_side(record: Record) -> Usage:
    """The tokens of a record of ours, or of what is expected."""
    tokens = record["tokens"]
    sums = {side: sum(count for name, count in tokens.items() if _is_of(side, name)) for side in SIDES}
    return {side: count for side, count in sums.items() if count}


_BUCKETS: Mapping[str, Callable[[str], bool]] = {
    "input": lambda name: name.startswith(INPUT),
    "output": lambda name: not name.startswith(INPUT),
    "cache read": lambda name: name.startswith("cache_read"),
    "cache write": lambda name: name.startswith("cache_write"),
    "reasoning": lambda name: name == "output_reasoning",
}


def _is_of(side: str, bucket: str) -> bool:
    return _BUCKETS[side](bucket)


def _told(attributes: Mapping[str, Any]) -> Usage:
    objects = [found for name in OBJECTS if isinstance(found := json.loads(attributes.get(name) or "0"), dict)]
    nested = dict(pair for each in objects for pair in _numbers(each))
    found = {}
    for side in SIDES:
        places = [attributes.get(name) for name in NAMES[side]] + [nested.get(name) for name in OF_PROVIDERS[side]]
        told = [place for place in places if isinstance(place, int)]
        if told:
            found[side] = told[0]
    return found


def _numbers(value: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _numbers(item)
        elif isinstance(item, int):
            yield key, item


BY_CONVENTION = Meaning()
MEANINGS: Mapping[str, Meaning] = {
    "tokentrace": Ours(),
    "OpenLIT": Meaning(on_top=frozenset({"anthropic", "boto3"})),
}
"""Those that are not read as the conventions have it."""
