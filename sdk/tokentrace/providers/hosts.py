"""Which provider answers at a host."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache

from tokentrace.providers.registry import HOSTS

PROXY = "litellm"
"""The provider of a call of which the proxy does not say who answered it, and the dialect of all its answers."""


def provider_at(host: str | None, port: int | None, own: str, told: Mapping[str, str]) -> str:
    """The provider at `host`: as `told` by configuration, else by its name, else the client's `own`."""
    if host is None:
        return own
    if told and (named := told.get(f"{host}:{port}") or told.get(host)):
        return named
    return _known(host, own)


def providers_at(host: str | None, port: int | None, own: str, told: Mapping[str, str]) -> tuple[str, str]:
    """`provider_at`, and the same without an `own`: what is known of the place alone, empty where that is nothing."""
    if told or host is None:
        return provider_at(host, port, own, told), provider_at(host, port, "", told)
    return _both(host, own)


@lru_cache(maxsize=1024)
def _both(host: str, own: str) -> tuple[str, str]:
    return _known(host, own), _known(host, "")


@lru_cache(maxsize=1024)
def _known(host: str, own: str) -> str:
    known = next((provider for suffix, provider in HOSTS.items() if _is_of(host, suffix)), None)
    # The client of a router knows which of the providers behind it answers.
    return own if known is None or own.startswith(f"{known}_") else known


def _is_of(host: str, known: str) -> bool:
    return fnmatchcase(host, known) or host.endswith(f".{known}")
