"""However a process ends, and whoever it begot, each of its calls is delivered once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from quickstarts.loopback import http
from shapes.provider import Provider, reply

from behaviour.doors.all import DOORS
from behaviour.doors.openai import RESPONSES
from behaviour.ends import BEGIN, ENDS

SDK = Path(__file__).parents[1]
FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
_THERE = [door for door in DOORS if door.is_installed]
_EVERY_END = next((door for door in _THERE if door.begun), _THERE[0])
CASES = [
    *(pytest.param(door, "at its end", id=f"{door.name}-at its end") for door in _THERE if door is not _EVERY_END),
    *(
        pytest.param(_EVERY_END, end, id=f"{_EVERY_END.name}-{end}", marks=FORKS if "child" in end else ())
        for end in ENDS
    ),
]


def run(code: str, *arguments: str) -> list[dict]:
    """What a program says that it delivers."""
    paths = os.pathsep.join([str(SDK), str(SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE, text=True, timeout=60, check=False,
        env=os.environ | {"PYTHONPATH": paths, "TOKENTRACE_STRICT": "1"},
    )  # fmt: skip
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize(("door", "end"), CASES)
def test_a_stream_that_is_open_at_the_end_is_delivered_once(door, end):
    with http(Provider((door.flow(),))) as url:
        said = run(BEGIN + textwrap.indent(textwrap.dedent(ENDS[end].strip("\n")), "    "), door.name, url)

    known = "partial_stream" if door.begun else "missing"
    told = [(each["source"], each["tokens"], each["parent"]) for each in said]
    begun = (known, dict(door.begun), True)
    if end == "in a child of `multiprocessing`":
        whole = ("reported", dict(door.facts.get("streamed tokens", door.tokens)), True)
        assert told == [whole, (*begun[:2], False)]
    elif end == "with a provider of the application":
        unread = () if "asks late" in door.facts else (("missing", {}, True),)
        assert sorted(told, key=repr) == sorted([*unread, begun], key=repr)
    else:
        assert told == [begun]


@pytest.mark.skipif(not RESPONSES.is_installed, reason="needs openai")
def test_a_response_that_another_process_polls_is_told_by_its_id_in_both():
    code = """
        import sys, json, tokentrace
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from behaviour.door import Settings
        from behaviour.doors.openai import RESPONSES as door
        spans = InMemorySpanExporter()
        client = door.client(Settings(sys.argv[1], "sync"))
        tokentrace.instrument(exporter=spans)
        door.verbs[sys.argv[2]](client)
        tokentrace.flush(10)
        (span,) = spans.get_finished_spans()
        told = span.attributes
        names = ("tokentrace.usage.scope", "gen_ai.response.id", "gen_ai.usage.output_tokens")
        print(json.dumps([told.get(name) for name in names]))
    """
    states = tuple(reply(RESPONSES.facts[state]) for state in ("queued", "done"))
    with http(Provider(states)) as url:
        created, polled = run(code, url, "in background"), run(code, url, "retrieve")

    assert created + polled == [["call", "resp_1", None], ["retrieve", "resp_1", 50]]
