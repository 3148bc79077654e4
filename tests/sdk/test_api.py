"""The public names are an interface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tokentrace

ROOT = Path(__file__).parents[2]


def test_everything_public_is_listed_in_order():
    import types

    public = [
        name
        for name in dir(tokentrace)
        if not name.startswith("_") and not isinstance(getattr(tokentrace, name), types.ModuleType)
    ]
    assert sorted(public, key=str.casefold) == sorted(tokentrace.__all__, key=str.casefold)
    assert tokentrace.__all__ == sorted(tokentrace.__all__)


def test_everything_public_says_what_it_is():
    assert [name for name in tokentrace.__all__ if not getattr(tokentrace, name).__doc__] == []


def test_no_module_hides_behind_a_public_name():
    modules = {path.stem for path in Path(tokentrace.__file__).parent.iterdir()}
    assert modules & set(tokentrace.__all__) == set()


def test_the_generated_modules_are_those_of_the_registry():
    checked = subprocess.run(
        [sys.executable, ROOT / "schemas/registry/generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.stderr == ""


def test_instrument_twice_is_once_and_uninstrument_takes_everything_back():
    import anthropic._base_client
    import httpx2
    import openai._base_client

    def wrapped():
        owners = (
            httpx2.Client,
            httpx2.AsyncClient,
            openai._base_client.SyncAPIClient,
            anthropic._base_client.AsyncAPIClient,
        )
        # By identity: a wrapper equals what it wraps.
        return [id(vars(owner).get("send", vars(owner).get("request"))) for owner in owners]

    before = wrapped()
    tokentrace.instrument(exporter=_Nowhere())
    once = wrapped()
    tokentrace.instrument(exporter=_Nowhere())
    assert wrapped() == once
    assert once != before
    tokentrace.uninstrument()
    assert wrapped() == before
    tokentrace.uninstrument()


def _Nowhere():  # noqa: N802
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()
