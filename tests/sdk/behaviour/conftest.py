"""Keeps the scenarios quick."""

from __future__ import annotations

import gc

import pytest

from behaviour.quick import hurry


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare every client its pauses and certificates, and the garbage collector what the imports have left."""
    gc.freeze()
    hurry(monkeypatch.setattr)
