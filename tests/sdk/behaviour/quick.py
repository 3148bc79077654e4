"""Keeps the scenarios quick."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module

_ssl_context = functools.cache(ssl.create_default_context)


def hurry(put: Callable[..., object] = setattr) -> None:
    """Spare every client its pauses and certificates."""
    put(ssl, "create_default_context", _ssl_context)
    for library in ("openai", "anthropic", "groq"):
        with suppress(ModuleNotFoundError):
            module = import_module(f"{library}._base_client")
            put(module, "INITIAL_RETRY_DELAY", 0.0)
            put(module, "MAX_RETRY_DELAY", 0.0)
    with suppress(ModuleNotFoundError):
        backoff = import_module("botocore.retries.standard").ExponentialBackoff
        put(backoff, "delay_amount", lambda *_: 0)
