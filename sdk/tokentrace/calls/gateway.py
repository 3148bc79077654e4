"""What the headers of a LiteLLM proxy say of the call behind it: who answered, with which model, at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tokentrace import attributes as name
from tokentrace.providers import supply
from tokentrace.providers.hosts import PROXY, provider_at
from tokentrace.providers.registry import NAMES
from tokentrace.wire.rules import money

_PREFIX = "x-litellm-"
_COMPATIBLE = "openai"
"""What LiteLLM calls every server that speaks like OpenAI, whoever runs it."""


def said(headers: Any) -> Mapping[str, str]:
    """What a proxy says in the headers of an answer; empty where no proxy sent it."""
    return {header[len(_PREFIX) :]: told for header, told in supply.pairs(headers) if header.startswith(_PREFIX)}


def passes_on(usage: Mapping[str, Any], *, streamed: bool) -> bool:
    """Whether the cost that LiteLLM tells in a usage is as the provider told it.

    LiteLLM may write what it computed over it, but only at the end of a stream, and never in the ticks of xAI.
    """
    return not streamed or usage.get("cost_in_usd_ticks") is not None


def behind(
    told: Mapping[str, str],
    asked: Mapping[str, Any],
    found: Mapping[str, Any],
    hosts: Mapping[str, str],
    *,
    passed_on: bool,
) -> dict[str, Any]:
    """Of a call that was `asked` of a proxy, and `found` to say this: what its headers make of it.

    `hosts` names providers by their host, as the configuration does; a cost in the answer may be `passed_on`.
    """
    provider, model = _deployment(told.get("model-name", ""))
    host, port = _place(told.get("model-api-base", ""))
    if provider is None or (provider == _COMPATIBLE and host):
        provider = PROXY
    known: dict[str, Any] = {name.PROVIDER: provider_at(host, port, provider, hosts)}
    # An answer repeats the alias that was asked for.
    if model and found.get(name.RESPONSE_MODEL) in (None, asked.get(name.REQUEST_MODEL)):
        known[name.RESPONSE_MODEL] = model
    if name.REPORTED_COST in found:
        if passed_on:
            known[name.COST_REPORTER] = known[name.PROVIDER]
    elif (cost := money(told.get("response-cost"))) is not None:
        known |= {name.REPORTED_COST: f"{cost:f}", name.REPORTED_COST_CURRENCY: "USD", name.COST_REPORTER: PROXY}
    return known


def _deployment(told: str) -> tuple[str | None, str]:
    """Provider and model of a deployment, which LiteLLM writes as `azure/gpt-5`."""
    prefix, _, rest = told.partition("/")
    provider = NAMES.get(prefix) if rest else None
    return (provider, rest) if provider else (None, told)


def _place(address: str) -> tuple[str | None, int | None]:
    with suppress(ValueError):
        url = urlsplit(address)
        return url.hostname, url.port
    return None, None
