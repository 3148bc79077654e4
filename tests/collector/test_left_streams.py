"""Streams that are left at every place, from the code of the application to the books: what came, and what was billed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from decimal import Decimal

import pytest

from tokentrace_collector.cli.own import OwnCollector
from tokentrace_collector.config import Config
from tokentrace_collector.store.database import Store

WORK = """
    import json
    from itertools import count, islice

    import httpx2
    import openai
    import tokentrace

    WORDS = "The sky is blue because of the air .".split(" ")
    USAGE = {
        "input_tokens": 1_000, "output_tokens": 500, "total_tokens": 1_500,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 200},
    }
    numbers = count()

    def response(named, status, usage=None):
        return {
            "id": named, "object": "response", "created_at": 1, "model": "gpt-5-mini-2025-08-07", "status": status,
            "output": [], "usage": usage, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "background": True,
        }

    class Events(httpx2.SyncByteStream):
        '''Each a piece of its own; at the end nothing comes any more, or all that was made.'''

        def __init__(self, named, breaks):
            self.named, self.breaks = named, breaks

        def __iter__(self):
            yield self.event("response.created", response=response(self.named, "in_progress"))
            for word in WORDS:
                place = {"item_id": "msg", "output_index": 0, "content_index": 0}
                yield self.event("response.output_text.delta", **place, delta=f"{word} ", logprobs=[])
            if self.breaks:
                raise httpx2.ReadTimeout("no more comes")
            yield self.event("response.completed", response=response(self.named, "completed", USAGE))

        def event(self, kind, **more):
            return f"event: {kind}\\ndata: {json.dumps({'type': kind, 'sequence_number': 0} | more)}\\n\\n".encode()

    def provider(request):
        '''Makes responses in the background, and says what it bills for each when it is asked.'''
        parts = request.url.path.split("/")
        if parts[-1] == "cancel":
            return httpx2.Response(200, json=response(parts[-2], "cancelled", USAGE))
        if request.method == "GET":
            return httpx2.Response(200, json=response(parts[-1], "completed", USAGE))
        named, asked = f"resp_{next(numbers):032}", json.loads(request.content)
        if not asked.get("stream"):
            return httpx2.Response(200, json=response(named, "queued"))
        events = Events(named, asked["input"] == "break")
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=events)

    tokentrace.instrument()
    http = httpx2.Client(transport=httpx2.MockTransport(provider))
    client = openai.OpenAI(api_key="-", max_retries=0, http_client=http)
    traces = {}

    def run(name, number=None, *, after=None, asked="Why?", accepts=False):
        with tokentrace.workflow(name):
            traces[name] = tokentrace.trace_id()
            stream = client.responses.create(model="gpt-5-mini", input=asked, background=True, stream=True)
            named = next(stream).response.id
            try:
                for _ in islice(stream, number):
                    pass
            except openai.APITimeoutError:
                if accepts:
                    tokentrace.accept_partial()
            stream.close()
            if after:
                getattr(client.responses, after)(named)

    for number in range(len(WORDS) + 1):
        run(f"stopped {number}", number, after="cancel")
    run("read", 2, after="retrieve")
    run("left", 2)
    run("whole")
    run("broke", after="cancel", asked="break")
    run("accepted", after="cancel", asked="break", accepts=True)
    with tokentrace.workflow("polled"):
        traces["polled"] = tokentrace.trace_id()
        client.responses.cancel(client.responses.create(model="gpt-5-mini", input="Why?", background=True).id)
    print(json.dumps(traces))
"""
INPUT, THOUGHT, WRITTEN = Decimal("0.00025"), Decimal("0.0004"), Decimal("0.0006")
"""What 1,000 tokens at 0.25, and 200 and 300 at 2 dollars per million cost."""


@pytest.fixture(scope="module")
def books(engine, tmp_path_factory):
    """The components of each request, by its name, and the tokens of its call."""
    there = tmp_path_factory.mktemp("left")
    env = os.environ | {"TOKENTRACE_SPOOL": str(there / "spool"), "TOKENTRACE_TIKTOKEN_DIR": ""}
    store = Store.open(f"chdb://{engine}?database=left_streams")
    with OwnCollector(f"{store.address}&directory={there}", Config(http_port=0, grpc_port=0, api_port=0)) as collector:
        env["TOKENTRACE_ENDPOINT"] = collector.addresses.otlp_http
        command = [sys.executable, "-c", textwrap.dedent(WORK)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert (ran.returncode, ran.stderr) == (0, "")
        traces = json.loads(ran.stdout)
        settled = collector.settled()
        yield {name: settled.request(trace) for name, trace in traces.items()}
    store.drop_database()
    store.close()


def components(report):
    return {name: Decimal(amount) for name, amount in report["components"].items() if Decimal(amount)}


def cancelled(report):
    return sum(span["cancelled"] for span in report["spans"])


def test_at_every_place_what_came_and_what_was_cancelled_are_what_was_billed(books):
    """The prompt stays; so do the thoughts, once there is a word that they were for."""
    stopped = [books[f"stopped {number}"] for number in range(10)]
    came = []
    for number, report in enumerate(stopped):
        found = components(report)
        assert Decimal(report["total"]) == INPUT + THOUGHT + WRITTEN
        assert found.get("hidden_reasoning", 0) == (THOUGHT if number else 0)
        assert found["errors"] == Decimal(cancelled(report)) * 2 / 10**6
        assert (report["tokens"]["output_reasoning"], report["tokens"]["output_text"]) == (200, 300)
        came.append(found["visible"] - INPUT)
    assert (came[0], came) == (0, sorted(set(came)))
    assert came[-1] < WRITTEN / 10


def test_what_is_read_in_the_end_has_come(books):
    whole = {"visible": INPUT + WRITTEN, "hidden_reasoning": THOUGHT}
    assert (components(books["read"]), components(books["whole"])) == (whole, whole)


def test_of_what_nobody_asks_for_again_only_what_came_is_known(books):
    left = books["left"]
    assert (list(components(left)), cancelled(left), left["coverage"] < 1) == (["visible"], 0, True)


def test_what_timed_out_is_lost_unless_it_is_accepted(books):
    assert components(books["broke"]) == {"errors": INPUT + THOUGHT + WRITTEN}
    assert components(books["accepted"]) == components(books["stopped 9"])


def test_what_was_stopped_before_anybody_had_read_of_it_was_cancelled_as_a_whole(books):
    assert (components(books["polled"]), cancelled(books["polled"])) == (
        {"visible": INPUT, "errors": THOUGHT + WRITTEN},
        500,
    )
