"""What people say of a request, while it runs and days after it: from their code to the tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from decimal import Decimal
from itertools import count

import pytest
from answering import Answering, serving

from tokentrace_collector.cli.own import OwnCollector
from tokentrace_collector.config import Config

ANSWER = {
    "object": "response", "created_at": 1, "model": "gpt-5-mini-2025-08-07", "status": "completed", "output": [],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    "usage": {
        "input_tokens": 1_000, "output_tokens": 100, "total_tokens": 1_100,
        "input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0},
    },
}  # fmt: skip
COST = Decimal("0.00045")
"""Of one answer: 1,000 at 0.25 and 100 at 2 dollars per million."""
WORK = """
    import tokentrace
    from openai import OpenAI

    tokentrace.instrument()
    client = OpenAI()
    with tokentrace.tags(team="search"), tokentrace.workflow("brief", work_unit_id="ticket 7"):
        with tokentrace.step("draft", role="answer"):
            client.responses.create(model="gpt-5-mini", input="Why?")
            tokentrace.reject("too short")
            client.responses.create(model="gpt-5-mini", input="Why? Say more.")
        print(tokentrace.trace_id())
"""
LATER = """
    import sys
    import tokentrace

    tokentrace.instrument()
    trace_id = sys.argv[1]
    tokentrace.outcome("failure", trace_id=trace_id)
    tokentrace.record_review(trace_id=trace_id, active_time=90, decision="edited", reviewer_role="editor")
"""
CORRECTED = """
    import sys
    import tokentrace

    tokentrace.instrument()
    tokentrace.outcome("success", value="12.50", currency="EUR", trace_id=sys.argv[1])
"""


@pytest.fixture
def provider():
    numbers = count(1)

    class Provider(Answering):
        def reply(self):
            self.asked()
            self.answer(json.dumps(ANSWER | {"id": f"resp_{next(numbers):032}"}).encode())

    with serving(Provider) as url:
        yield url


@pytest.fixture
def say(provider, collector, tmp_path):
    """Runs a program of the application in a process of its own; what it prints."""

    def say(program, *arguments):
        env = os.environ | {
            "OPENAI_BASE_URL": provider, "OPENAI_API_KEY": "none", "TOKENTRACE_ENDPOINT": collector.addresses.otlp_http,
            "TOKENTRACE_SPOOL": str(tmp_path / "spool"),
        }  # fmt: skip
        command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        assert (ran.returncode, ran.stderr) == (0, "")
        return ran.stdout.strip()

    return say


@pytest.fixture
def collector(empty_store, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text("version: 1\nhuman_review: {rate_per_hour: 40}\n")
    address = f"{empty_store.address}&directory={tmp_path}"
    with OwnCollector(address, Config(book=book, http_port=0, grpc_port=0, api_port=0)) as running:
        yield running


def components(report):
    return {name: Decimal(amount) for name, amount in report["components"].items() if Decimal(amount)}


def test_what_is_said_of_a_request_reaches_its_books_whenever_it_is_said(say, collector, empty_store):
    trace = say(WORK)
    report = collector.settled().request(trace)
    assert (components(report), report["calls"]) == ({"visible": COST, "errors": COST}, 2)

    say(LATER, trace)
    reviewed = collector.settled().request(trace)
    # A minute and a half at 40 dollars an hour; it neither moves another cost nor makes the request longer.
    assert components(reviewed) == components(report) | {"human_review": Decimal(1)}
    assert reviewed["seconds"] == report["seconds"]

    say(CORRECTED, trace)
    again = say(WORK)
    last = collector.settled().request(again)
    assert collector.settled().request(trace)["total"] == reviewed["total"]

    asked = "SELECT trace_id, status, value, value_currency, team FROM trace_outcomes ORDER BY status"
    outcomes = empty_store.query(asked)
    (unit,) = empty_store.query("SELECT runs, last_trace, status, total, rework FROM work_units")
    assert [tuple(each.values()) for each in outcomes] == [
        (trace, "success", Decimal("12.5"), "EUR", "search"),
        (again, "unknown", None, "", "search"),
    ]
    assert (unit["runs"], unit["last_trace"], unit["status"]) == (2, again, "unknown")
    assert (unit["total"], unit["rework"]) == (
        Decimal(reviewed["total"]) + Decimal(last["total"]),
        Decimal(reviewed["total"]),
    )
