"""A release that nobody has tested, because it is not there yet: what still fits is metered, and the rest is told.

The releases are made of the newest real ones, with functions or modules of other names.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from answering import Answering, serving

CHAT = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-6",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 1, "total_tokens": 15},
}  # fmt: skip
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "4"}], "usage": {"input_tokens": 14, "output_tokens": 1},
}  # fmt: skip

PROGRAM = """
    import asyncio, json, logging, os, sys
    import tokentrace
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logging.getLogger("tokentrace").addHandler(handler)
    exporter = InMemorySpanExporter()
    tokentrace.instrument(exporter=exporter)
    {calls}
    tokentrace.flush()
    report = tokentrace.doctor(probe=False)
    (library,) = (each for each in report.libraries if each.name == "{library}")
    print(json.dumps({{
        "answers": answers,
        "metered": len(exporter.get_finished_spans()),
        "release": library.release,
        "is_newer": library.is_newer,
        "problems": [[each.thing, each.value] for each in report.problems],
        "said": said,
    }}))
"""
OPENAI = """
    import openai
    said_to = {"model": "gpt-6", "messages": [{"role": "user", "content": "2+2?"}]}
    one = openai.OpenAI(api_key="none").chat.completions.create(**said_to)
    two = asyncio.run(openai.AsyncOpenAI(api_key="none").chat.completions.create(**said_to))
    answers = [each.choices[0].message.content for each in (one, two)]
"""
ANTHROPIC = """
    import anthropic
    said_to = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "2+2?"}]}
    one = anthropic.Anthropic(api_key="none").messages.create(**said_to)
    two = asyncio.run(anthropic.AsyncAnthropic(api_key="none").messages.create(**said_to))
    answers = [each.content[0].text for each in (one, two)]
"""


@pytest.fixture
def provider() -> Iterator[str]:
    class Handler(Answering):
        def reply(self):
            self.asked()
            self.answer(json.dumps(MESSAGE if self.path.endswith("/messages") else CHAT).encode())

    with serving(Handler) as address:
        yield address


@pytest.fixture
def release(tmp_path) -> Callable[..., Path]:
    """Makes a release 99 of a library out of the one that is installed."""

    def make(library: str, change: Callable[[Path, str], tuple[Path, str]]) -> Path:
        installed = Path(importlib.import_module(library).__file__ or "").parent
        shutil.copytree(installed, tmp_path / library, ignore=shutil.ignore_patterns("__pycache__"))
        for path in (tmp_path / library).rglob("*.py"):
            changed, code = change(path, path.read_text("utf-8"))
            path.unlink()
            changed.write_text(code, "utf-8")
        metadata = tmp_path / f"{library}-99.0.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {library}\nVersion: 99.0.0\n")
        return tmp_path

    return make


def run(library: str, calls: str, place: Path, url: str) -> dict[str, object]:
    program = textwrap.dedent(PROGRAM).format(calls=textwrap.dedent(calls).strip(), library=library)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENTRACE_", "OTEL_"))}
    env |= {"OPENAI_BASE_URL": url, "ANTHROPIC_BASE_URL": url}
    path = os.pathsep.join([str(place), *filter(None, [env.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=env | {"PYTHONPATH": path}
    )
    return json.loads(done.stdout)


def as_it_is(path: Path, code: str) -> tuple[Path, str]:
    return path, code


def renamed_function(path: Path, code: str) -> tuple[Path, str]:
    """`SyncAPIClient.request` is called otherwise; the asynchronous one stays."""
    if path.name == "_base_client.py":
        first, sign, rest = code.partition("class AsyncAPIClient")
        first = first.replace("def request(", "def exchange(").replace("self.request(", "self.exchange(")
        code = first + sign + rest
    return path, code


def renamed_module(path: Path, code: str) -> tuple[Path, str]:
    """`_base_client` is called otherwise, everywhere."""
    named = path.with_name("_core_client.py") if path.name == "_base_client.py" else path
    return named, code.replace("_base_client", "_core_client")


@pytest.mark.parametrize(("library", "calls"), [("openai", OPENAI), ("anthropic", ANTHROPIC)])
def test_a_release_in_which_everything_fits_is_metered_and_no_problem(release, provider, library, calls):
    assert run(library, calls, release(library, as_it_is), provider) == {
        "answers": ["4", "4"], "metered": 2, "release": "99.0.0", "is_newer": True, "problems": [], "said": [],
    }  # fmt: skip


def test_a_function_of_another_name_costs_its_own_calls_alone_and_is_told(release, provider):
    assert run("openai", OPENAI, release("openai", renamed_function), provider) == {
        "answers": ["4", "4"],
        "metered": 1,
        "release": "99.0.0",
        "is_newer": True,
        "problems": [
            [
                "openai 99.0.0",
                (
                    "openai._base_client:SyncAPIClient.request is not in this release: "
                    "synchronous calls through it are not metered."
                ),
            ]
        ],
        "said": [
            "openai._base_client.SyncAPIClient.request does not exist in this release: calls through it are not metered."
        ],
    }


@pytest.mark.parametrize(("library", "calls"), [("openai", OPENAI), ("anthropic", ANTHROPIC)])
def test_a_module_of_another_name_is_missed_instead_of_waited_for(release, provider, library, calls):
    assert run(library, calls, release(library, renamed_module), provider) == {
        "answers": ["4", "4"],
        "metered": 0,
        "release": "99.0.0",
        "is_newer": True,
        "problems": [
            [
                f"{library} 99.0.0",
                (
                    f"{library}._base_client:{world}APIClient.request is not in this release: "
                    f"{kind} calls through it are not metered."
                ),
            ]
            for world, kind in (("Sync", "synchronous"), ("Async", "asynchronous"))
        ],
        "said": [
            f"{library}._base_client is not in this release: {kind} calls through it are not metered."
            for kind in ("synchronous", "asynchronous")
        ],
    }
