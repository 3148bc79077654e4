"""Libraries are wrapped as they come, and an import never fails for us."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest


def run(code: str, path) -> str:
    """What a program prints that finds the given libraries."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=path, capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def library(tmp_path):
    """Writes an `openai` that begins with the given code."""

    def write(code: str):
        (tmp_path / "openai").mkdir()
        (tmp_path / "openai" / "__init__.py").touch()
        (tmp_path / "openai" / "_base_client.py").write_text(textwrap.dedent(code))
        return tmp_path

    return write


def test_a_library_that_cannot_be_wrapped_is_imported_all_the_same(library):
    code = """
        class Hostile(type):
            def __getattribute__(cls, name):
                if name == "__dict__":
                    raise RuntimeError(name)
                return super().__getattribute__(name)

            def __setattr__(cls, name, value):
                raise RuntimeError(name)

        class SyncAPIClient(metaclass=Hostile):
            def request(self): ...
    """
    program = """
        import tokentrace
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        tokentrace.instrument(exporter=InMemorySpanExporter())
        import openai._base_client
        print("imported")
    """
    assert run(program, library(code)) == "imported\n"


def test_a_library_that_another_thread_is_importing_is_wrapped_once_it_is_there(library):
    code = """
        import importing
        importing.begun.set()
        importing.go_on.wait(30)

        class SyncAPIClient:
            def request(self): ...

        class AsyncAPIClient:
            async def request(self): ...
    """
    program = """
        import importlib, sys, threading, types
        importing = sys.modules["importing"] = types.ModuleType("importing")
        importing.begun, importing.go_on = threading.Event(), threading.Event()
        import tokentrace, wrapt
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        thread = threading.Thread(target=importlib.import_module, args=("openai._base_client",))
        thread.start()
        importing.begun.wait(30)
        threading.Timer(0.2, importing.go_on.set).start()
        tokentrace.instrument(exporter=InMemorySpanExporter())
        thread.join()
        from openai._base_client import SyncAPIClient
        print(isinstance(vars(SyncAPIClient)["request"], wrapt.FunctionWrapper))
    """
    assert run(program, library(code)) == "True\n"


def test_a_library_is_wrapped_where_somebody_else_has_begun_to_wait_for_modules_first(tmp_path):
    (tmp_path / "litellm.py").write_text("def completion(): ...")
    program = """
        import tokentrace
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        tokentrace.instrument(exporter=InMemorySpanExporter())
        import wrapt
        wrapt.register_post_import_hook(lambda module: None, "colorsys")
        import litellm
        print(isinstance(litellm.completion, wrapt.FunctionWrapper))
    """
    assert run(program, tmp_path) == "True\n"


def test_a_class_on_which_somebody_has_wrapped_the_inherited_function_is_metered_too(metering):
    import httpx2
    import openai
    import wrapt

    answer = {"id": "x", "object": "chat.completion", "model": "m", "choices": [], "usage": {"prompt_tokens": 1}}
    client = openai.OpenAI(
        api_key="-",
        http_client=httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer))),
    )
    seen = []
    wrapt.wrap_function_wrapper(
        "openai", "OpenAI.request", lambda wrapped, _, args, kwargs: seen.append(1) or wrapped(*args, **kwargs)
    )
    try:
        for _ in range(2):
            with metering() as spans:
                client.chat.completions.create(model="m", messages=[])
                assert len(spans.ours()) == 1
        client.chat.completions.create(model="m", messages=[])
    finally:
        del openai.OpenAI.request
    assert len(seen) == 3


@pytest.fixture
def release(tmp_path):
    """Installs a `together` of a given release, with nothing of what we know inside."""

    def install(number: str):
        (tmp_path / "together").mkdir()
        (tmp_path / "together" / "__init__.py").touch()
        told = tmp_path / f"together-{number}.dist-info"
        told.mkdir()
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: together\nVersion: {number}\n")
        return tmp_path

    return install


IMPORTS = """
    import logging, sys
    logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")
    import tokentrace
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    for _ in range(2):
        tokentrace.instrument(exporter=InMemorySpanExporter())
        import together
"""


def test_a_release_that_is_older_than_all_we_know_is_told_of_once(release):
    assert run(IMPORTS, release("1.5.35")) == (
        "WARNING together 1.5.35 is older than 2.0.0, the first release that is supported: its calls are not metered, "
        "or not all of them. Install 'together>=2.0.0'.\n"
    )


@pytest.mark.parametrize("number", ["2.0.0", "2", "2.0.0a1", "2.10.1"])
def test_a_release_that_we_know_is_not_told_of(release, number):
    assert run(IMPORTS, release(number)) == ""


def test_a_module_that_says_it_is_another_is_wrapped_all_the_same(library):
    code = """
        class SyncAPIClient:
            def request(self): ...
    """
    program = """
        import openai._base_client
        openai._base_client.__name__ = "openai._elsewhere"
        import tokentrace
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        tokentrace.instrument(exporter=InMemorySpanExporter())
        print(type(vars(openai._base_client.SyncAPIClient)["request"]).__name__)
    """
    assert run(program, library(code)) == "FunctionWrapper\n"
