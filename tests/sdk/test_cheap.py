"""What the application pays for being metered is bounded."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import FrameType

import httpx2
import openai
import pytest
from opentelemetry import attributes, sdk, trace

import tokentrace

ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four."}}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14},
}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
OURS = tokentrace.__path__[0]
ASK = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2+2?"}]}
STREAM = b'data: {"choices": [{"index": 0, "delta": {"content": "Four."}}]}\n\ndata: [DONE]\n\n'


def client(whole: object = ANSWER) -> openai.OpenAI:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if b'"stream":true' in request.content:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=iter((STREAM,)))
        return httpx2.Response(200, json=whole)

    transport = httpx2.MockTransport(answer)
    return openai.OpenAI(api_key="none", http_client=httpx2.Client(transport=transport))


@pytest.fixture
def garbage() -> Iterator[list[object]]:
    """What only the garbage collector frees, from here on."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield gc.garbage
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_call_leaves_nothing_to_the_garbage_collector(spans, garbage, streamed):
    create = client().chat.completions.create
    for _ in create(stream=streamed, **ASK):
        pass
    gc.collect()

    assert len(spans.ours()) == 1
    assert [kind for each in garbage if (kind := type(each)).__module__.startswith("tokentrace")] == []


def functions_of(run: Callable[[], object]) -> int:
    """How many functions of ours and of OpenTelemetry are called, in this thread."""
    places = tuple(package.__path__[0] for package in (tokentrace, attributes, sdk, trace))
    called: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and (path := frame.f_code.co_filename).startswith(places):
            called.append(path)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return len(called)


def test_a_call_takes_few_functions(spans):
    create = client().chat.completions.create
    create(**ASK)
    # OpenTelemetry alone would be asked for 36 more if each attribute that the call ends with were set by itself.
    assert functions_of(lambda: create(**ASK)) <= 142


def test_a_conversation_about_many_images_is_shared_out_in_one_go(spans):
    """Hundreds of texts between images leave hundreds of remainders: to search all for each next one took milliseconds."""
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "word " * (1 + number % 7)}, IMAGE]}
        for number in range(300)
    ]
    usage = {"prompt_tokens": 123_457, "completion_tokens": 2, "total_tokens": 123_459}
    create = client(ANSWER | {"usage": usage}).chat.completions.create
    searches = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal searches
        searches += event == "c_call" and argument is max and frame.f_code.co_filename.startswith(OURS)

    sys.setprofile(note)
    try:
        create(model="gpt-4o", messages=[*turns, *ASK["messages"]])
    finally:
        sys.setprofile(None)
    (span,) = spans.ours()
    assert len(span.attributes["tokentrace.input.segments"]) > 500
    assert searches < 10


SETTING_UP = """
    import importlib, sys
    from opentelemetry.exporter.otlp.proto.http import trace_exporter
    from opentelemetry.sdk.trace import TracerProvider
    for client in sys.argv[1:]:
        importlib.import_module(client)
    before = set(sys.modules)
    import tokentrace
    tokentrace.instrument()
    print(*sorted(set(sys.modules) - before))
"""


def loaded(*clients: str) -> list[str]:
    """The modules that setting up loads, beside those of OpenTelemetry and of clients."""
    command = [sys.executable, "-c", textwrap.dedent(SETTING_UP), *clients]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_setting_up_loads_few_modules_as_long_as_there_is_nothing_to_meter():
    modules = loaded()
    assert len(modules) <= 34, modules


def test_setting_up_loads_what_a_client_is_patched_with_and_its_first_call_the_rest():
    modules = loaded("openai")
    assert len(modules) <= 60, modules
    assert not [
        name for name in modules if name.startswith(("tokentrace.calls", "tokentrace.wire.", "tokentrace.streams"))
    ]


def test_no_client_brings_what_another_alone_needs():
    modules = loaded("openai")
    assert [name for name in modules if name.startswith("tokentrace.clients.")] == [
        "tokentrace.clients._openai_sessions",
        "tokentrace.clients._stainless",
        "tokentrace.clients.openai",
    ]
