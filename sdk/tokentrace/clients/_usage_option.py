"""Has streams of Chat Completions report their usage, where the application did not ask for it itself.

Only of servers that are known to take the option: any other might refuse the whole call.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tokentrace.integration import Call
from tokentrace.usage.reading import mapping

_TAKE_IT = frozenset({"openai", "azure.ai.openai", "vllm"})
"""Providers, by their host or as the configuration names them."""

_PATH = "/chat/completions"
_SINCE = "2024-09-01"
"""The version of Azure's API that took the option first."""


def ask(call: Call, provider: str) -> Call | None:
    """The call with the option, or None where it is to be left as it is; what the application holds never changes."""
    options = call.arg(1, "options")
    body = mapping(options.json_data)
    if provider not in _TAKE_IT or not call.kwargs.get("stream") or not str(options.url).split("?")[0].endswith(_PATH):
        return None
    # Azure takes no such option beside data of one's own.
    given = {**body, **mapping(options.extra_json)}
    if "stream_options" in given or "data_sources" in given:
        return None
    if any(str(header).lower() == "accept-encoding" for header in mapping(options.headers)):
        return None
    version = getattr(call.instance, "_api_version", None)
    if isinstance(version, str) and version < _SINCE:
        return None
    asking = copy.copy(options)
    asking.json_data = {**body, "stream_options": {"include_usage": True}}
    asking.headers = _uncompressed(options.headers)
    args = (*call.args[:1], asking, *call.args[2:]) if len(call.args) > 1 else call.args
    kwargs = {**call.kwargs, "options": asking} if "options" in call.kwargs else call.kwargs
    return Call(call.instance, args, kwargs)


def _uncompressed(headers: Any) -> Mapping[str, Any]:
    """Events that come as they are: of a compressed stream nothing can be taken out again."""
    return {**mapping(headers), "accept-encoding": "identity"}
