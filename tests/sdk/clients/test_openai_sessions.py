"""Sessions of openai that stay open: what their calls are recorded as, and when a session is over."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import subprocess
import sys
import textwrap

import pytest
from quickstarts import openai_sockets as said
from quickstarts.sockets import messages, socket
from shapes.provider import Provider
from shapes.record import said as told

import tokentrace.seams.install
from tokentrace.clients import _openai_sessions

openai = pytest.importorskip("openai")
pytest.importorskip("websockets")

pytestmark = pytest.mark.filterwarnings("ignore")  # Of the client's own making: what users see, they see without us.

ANSWER = messages(said.BEGUN, said.DONE)
HALF = messages(said.BEGUN, said.DELTA)


@pytest.fixture
def serve():
    """Gives the address of a provider that greets, and then gives these answers."""
    opened = []

    def served(*answers):
        manager = socket(Provider((said.GREETED, *answers)))
        opened.append(manager)
        return manager.__enter__()

    yield served
    for manager in opened:
        manager.__exit__(None, None, None)


def client(url, **options):
    return openai.OpenAI(api_key="-", websocket_base_url=url, **options)


def answered(connection):
    """Reads until a response is over."""
    connection.response.create()
    while connection.recv().type != "response.done":
        pass


def test_a_response_names_the_model_of_its_session(serve, spans):
    url = serve(ANSWER)
    with client(url).realtime.connect(model="gpt-realtime") as connection:
        answered(connection)
    recorded = spans.only()
    named = {
        key: recorded.get(key)
        for key in (
            "name",
            "gen_ai.operation.name",
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "gen_ai.response.model",
            "gen_ai.response.id",
            "server.address",
            "server.port",
        )
    }
    assert named == {
        "name": "chat gpt-realtime",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-realtime",
        "gen_ai.response.model": "gpt-realtime-2025-08-28",
        "gen_ai.response.id": "resp_1",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
    }


def test_a_transcription_is_of_the_model_that_made_it(serve, spans):
    with client(serve(messages(said.TRANSCRIBED))).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        connection.recv()
        connection.recv()
    recorded = spans.only()
    assert (recorded["name"], recorded["gen_ai.response.model"]) == (
        "transcription gpt-4o-mini-transcribe",
        "gpt-4o-mini-transcribe",
    )


def test_a_session_at_azure_is_billed_by_azure(serve, spans):
    url = serve(ANSWER)
    azure = openai.AzureOpenAI(api_key="-", api_version="1", base_url=url.replace("ws", "http"), websocket_base_url=url)
    with azure.realtime.connect(model="deployment") as connection:
        answered(connection)
    assert spans.only()["gen_ai.provider.name"] == "azure.ai.openai"


def test_calls_belong_to_what_the_application_does_when_it_reads(serve, spans):
    session = client(serve(ANSWER)).realtime.connect(model="gpt-realtime")
    with session as connection, spans.tracer.start_as_current_span("turn") as turn:
        answered(connection)
    (span,) = spans.ours()
    assert span.parent.span_id == turn.get_span_context().span_id


def test_a_session_that_was_open_before_is_followed_from_then_on(serve, metering):
    with client(serve(ANSWER, ANSWER, ANSWER)).realtime.connect(model="gpt-realtime") as connection:
        answered(connection)
        with metering() as first:
            answered(connection)
        with metering() as second:
            answered(connection)
    assert [[told(span)["tokens"] for span in spans.ours()] for spans in (first, second)] == [[said.SPOKEN]] * 2


def test_a_session_that_is_dropped_ends_its_calls(serve, spans):
    connection = client(serve(HALF)).realtime.connect(model="gpt-realtime").enter()
    connection.response.create()
    while connection.recv().type != "response.output_text.delta":
        pass
    socket_of_the_application = connection._connection
    del connection
    gc.collect()
    assert told(*spans.ours())["end"] == "dropped"
    socket_of_the_application.close()


def test_a_session_that_is_open_at_the_end_of_the_process_is_delivered(serve):
    program = """
        import sys
        import tokentrace, openai
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter
        tokentrace.instrument(exporter=ConsoleSpanExporter())
        client = openai.OpenAI(api_key="-", websocket_base_url=sys.argv[1])
        connection = client.realtime.connect(model="gpt-realtime").enter()
        connection.response.create()
        while connection.recv().type != "response.output_text.delta":
            pass
    """
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program), serve(HALF)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.stdout.count('"tokentrace.stream.end": "dropped"'), ran.stderr) == (1, "")


def test_a_wait_that_is_given_up_leaves_the_call_open(serve, spans):
    url = serve(HALF, messages(said.DONE))

    async def run():
        impatient = openai.AsyncOpenAI(api_key="-", websocket_base_url=url)
        async with impatient.realtime.connect(model="gpt-realtime") as connection:
            await connection.response.create()
            while (await connection.recv()).type != "response.output_text.delta":
                pass
            waiting = asyncio.create_task(connection.recv())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await connection.response.create()
            await connection.recv()

    asyncio.run(run())
    assert [told(span)["tokens"] for span in spans.ours()] == [said.SPOKEN]


def test_what_is_no_json_is_left_to_the_application(serve, spans):
    broken = messages(said.BEGUN)
    broken = type(broken)(parts=(b'{"type": "response.done"', *ANSWER.parts))
    with client(serve(broken)).realtime.connect(model="gpt-realtime") as connection:
        connection.response.create()
        raw = [connection.recv_bytes() for _ in range(4)]
    assert raw[1] == b'{"type": "response.done"'
    assert told(*spans.ours())["tokens"] == said.SPOKEN


def test_the_classes_are_left_as_they_were(metering):
    openai.OpenAI(api_key="-").realtime.connect(model="gpt-realtime")
    names = {(seam.module, seam.name.partition(".")[0]) for seam in _openai_sessions.SEAMS}
    found = [getattr(_module(module), name, None) for module, name in sorted(names)]
    before = _members(found)
    with metering():
        during = _members(found)
    assert before != during
    assert _members(found) == before


def test_a_release_without_such_sessions_is_not_complained_of(metering, caplog):
    with caplog.at_level(logging.WARNING, "tokentrace"), metering():
        for seam in _openai_sessions.SEAMS:
            _module(seam.module)
        assert [name for name in tokentrace.seams.install._current.misfits if name.startswith("openai")] == []
    assert not caplog.records


def _members(kinds):
    # A wrapper says that it equals what it wraps.
    return [{name: id(member) for name, member in vars(kind).items()} for kind in kinds if kind]


def _module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None
