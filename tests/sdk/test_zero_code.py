"""`opentelemetry-instrument` meters a program that does not mention us."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import answering
import pytest
from answering import World

import tokentrace
from tokentrace.instrumentor import TokentraceInstrumentor

ANSWER = {
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "4"}}],
    "usage": {"prompt_tokens": 14, "completion_tokens": 1, "total_tokens": 15},
}  # fmt: skip
PROGRAM = """
    import openai
    said = [{"role": "user", "content": "2+2?"}]
    print(openai.OpenAI().chat.completions.create(model="gpt-5-mini", messages=said).choices[0].message.content)
"""


@pytest.fixture
def world() -> Iterator[World]:
    with answering.world(ANSWER) as made:
        yield made


@pytest.fixture
def run(world, tmp_path):
    """Runs the program under `opentelemetry-instrument`, with variables of its environment."""
    (tmp_path / "app.py").write_text(textwrap.dedent(PROGRAM))
    tool = Path(sys.executable).with_name("opentelemetry-instrument")

    def run(**variables: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(("TOKENTRACE_", "OTEL_"))}
        env |= {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
        env |= {"OPENAI_BASE_URL": world.url, "OPENAI_API_KEY": "none", "TOKENTRACE_ENDPOINT": world.url, **variables}
        command = [str(tool), sys.executable, "app.py"]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)

    return run


def test_an_unchanged_program_is_metered(run, world):
    done = run()
    assert (done.returncode, done.stdout, done.stderr, world.names) == (0, "4\n", "", ["chat gpt-5-mini"])


@pytest.mark.parametrize("names", ["tokentrace", "*"])
def test_it_can_be_left_out_by_name(run, world, names):
    done = run(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=names)
    assert (done.stdout, world.names) == ("4\n", [])


def test_a_setting_that_makes_no_sense_ends_neither_the_program_nor_the_instrumentation(run, world):
    done = run(TOKENTRACE_QUEUE_SIZE="many")
    assert (done.returncode, done.stdout, "TOKENTRACE_QUEUE_SIZE" in done.stderr, "auto init" in done.stderr) == (
        0, "4\n", True, False,
    )  # fmt: skip


def test_the_entry_point_leads_to_the_instrumentor():
    (entry,) = entry_points(group="opentelemetry_instrumentor", name="tokentrace")
    assert entry.load() is TokentraceInstrumentor


def test_the_instrumentor_has_the_interface_of_opentelemetrys():
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    wanted = {name for name in vars(BaseInstrumentor) if not name.startswith("_")}
    assert [name for name in wanted if not hasattr(TokentraceInstrumentor, name)] == []


def test_the_instrumentor_begins_and_ends_what_instrument_does(monkeypatch):
    monkeypatch.setenv("TOKENTRACE_ENDPOINT", "http://127.0.0.1:1")
    instrumentor = TokentraceInstrumentor()
    seen = [instrumentor.is_instrumented_by_opentelemetry]
    instrumentor.instrument(skip_dep_check=True)
    seen.append(instrumentor.is_instrumented_by_opentelemetry)
    instrumentor.uninstrument()
    seen.append(instrumentor.is_instrumented_by_opentelemetry)
    assert (seen, list(instrumentor.instrumentation_dependencies())) == ([False, True, False], [])


def test_the_doctor_sees_opentelemetrys_instrumentors_that_are_at_work(monkeypatch):
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    class Rival(BaseInstrumentor):
        def instrumentation_dependencies(self):
            return ()

        def _uninstrument(self, **_options):
            pass

    Rival.__module__ = "openinference.instrumentation.openai"
    Rival().instrument()
    before = [each.name for each in tokentrace.doctor(probe=False).rivals]
    Rival().uninstrument()
    after = [each.name for each in tokentrace.doctor(probe=False).rivals]
    assert ("OpenInference" in before, "OpenInference" in after) == (True, False)
