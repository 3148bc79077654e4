"""Keeps the scenarios quick."""

from __future__ import annotations

import functools
import gc
import ssl
from contextlib import suppress
from importlib import import_module

import pytest

_ssl_context = functools.cache(ssl.create_default_context)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every client its pauses and certificates, and the garbage collector what the imports have left."""
    gc.freeze()
    monkeypatch.setattr(ssl, "create_default_context", _ssl_context)
    for library in ("openai", "anthropic", "groq"):
        with suppress(ModuleNotFoundError):
            module = import_module(f"{library}._base_client")
            monkeypatch.setattr(module, "INITIAL_RETRY_DELAY", 0.0)
            monkeypatch.setattr(module, "MAX_RETRY_DELAY", 0.0)
    with suppress(ModuleNotFoundError):
        backoff = import_module("botocore.retries.standard").ExponentialBackoff
        monkeypatch.setattr(backoff, "delay_amount", lambda *_: 0)
