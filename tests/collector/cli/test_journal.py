"""`tokentrace journal`: what waits is seen, taken out and put back, and nothing of it is lost."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tokentrace_collector import assembly
from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.config import Config
from tokentrace_collector.journal.deadletters import DeadLetters
from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.otlp import decode, from_json

NOW = 1_767_225_600_000_000_000


def request(name: str, span_id: bytes = b"12345678") -> bytes:
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add()
    group.resource.attributes.add(key="service.name").value.string_value = "shop"
    group.scope_spans.add().spans.add(
        name=name, trace_id=b"0123456789abcdef", span_id=span_id, start_time_unix_nano=NOW, end_time_unix_nano=NOW + 1
    )
    return made.SerializeToString()


class Place:
    """A store whose collector is not running, and its journal."""

    def __init__(self, store, directory: Path) -> None:
        self.store = store
        self.directory = directory
        self.address = f"{store.address}&directory={directory}"
        self.letters = DeadLetters(directory / "dead-letters.jsonl")

    def append(self, *bodies: bytes, tenant: str = "default") -> None:
        with closing(Journal(self.directory / "journal")) as journal:
            for body in bodies:
                journal.append(Entry(tenant, body, "", 1, len(body), NOW)).result()

    def run(self, *arguments: str):
        return CliRunner().invoke(tokentrace, ["journal", *arguments, "--store", self.address])

    def listed(self, *arguments: str) -> list[dict]:
        return [json.loads(line) for line in self.run("ls", "--json", *arguments).stdout.splitlines()]

    def collected(self) -> list[tuple[str, str]]:
        """The tenants and names of what a collector has stored that ran until nothing waited."""
        config = Config(store=self.address, http_port=0, grpc_port=0, api_port=0)
        with assembly.collector(config) as running:
            assert running.flush(30)
            rows = self.store.query("SELECT Tenant AS tenant, SpanName AS name FROM otel_traces ORDER BY name")
        return [(row["tenant"], row["name"]) for row in rows]


@pytest.fixture
def place(empty_store, tmp_path: Path) -> Place:
    return Place(empty_store, tmp_path)


def test_what_waits_is_listed_and_shown(place: Place):
    assert place.run("ls").stderr == "Nothing waits.\n"
    place.append(request("one"))
    place.append(request("two"), tenant="acme")
    seen = [(each["number"], each["tenant"], each["spans"], each["state"]) for each in place.listed()]
    assert seen == [(1, "default", 1, "waits"), (2, "acme", 1, "waits")]
    assert place.run("ls").stdout.splitlines()[0].startswith("1  2026-01-01T00:00:00+00:00  default  1  ")
    (group,) = json.loads(place.run("inspect", "2").stdout)["resourceSpans"]
    (span,) = group["scopeSpans"][0]["spans"]
    assert (span["name"], span["traceId"], span["spanId"]) == ("two", b"0123456789abcdef".hex(), b"12345678".hex())


def test_an_entry_that_is_not_there_is_told(place: Place):
    place.append(request("one"))
    for which, told in (("7", "There is no entry 7"), ("abcdefabcdef", "There is no dead letter 'abcdefabcdef'")):
        found = place.run("inspect", which)
        assert (found.exit_code, told in found.stderr) == (2, True)
    assert place.run("dead-letter", "7").exit_code == 2


def test_an_entry_that_was_set_aside_is_stored_when_it_is_put_back(place: Place):
    place.append(request("one"), request("two", b"87654321"), request("three", b"abcdefgh"))
    assert place.run("dead-letter", "2", "--reason", "It looks odd.").exit_code == 0
    assert [each["spans"] for each in place.listed()] == [1, 0, 1]
    (letter,) = place.listed("--dead-letters")
    assert (letter["tenant"], letter["reason"]) == ("default", "It looks odd.")
    assert place.collected() == [("default", "one"), ("default", "three")]
    assert place.listed() == []
    replayed = place.run("replay", letter["id"])
    assert (replayed.exit_code, replayed.stdout) == (0, f"{letter['id']}  waits\n")
    assert place.listed("--dead-letters") == []
    assert place.collected() == [("default", "one"), ("default", "three"), ("default", "two")]


def test_the_only_entry_may_be_set_aside(place: Place):
    place.append(request("one"))
    place.run("dead-letter", "1")
    assert place.collected() == []


def test_all_are_put_back_each_to_its_tenant_and_what_still_cannot_be_stored_stays(place: Place):
    place.letters.keep([(request("mended"), "The database was full.")], tenant="acme")
    (nameless,) = decode.accept(request("nameless", b""), now=NOW).rejected
    spans = [{"traceId": "zz", "name": "wrong"}]
    (wrong,) = from_json.read(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode())[1]
    place.letters.keep([(each.request, each.reason) for each in (nameless, wrong)], tenant="acme")
    replayed = place.run("replay", "--all")
    assert replayed.exit_code == 1
    told = [line.partition("  ")[2] for line in replayed.stdout.splitlines()]
    assert told == ["waits", nameless.reason, wrong.reason]
    assert [each["reason"] for each in place.listed("--dead-letters")] == [nameless.reason, wrong.reason]
    assert place.collected() == [("acme", "mended")]


def test_a_span_that_is_refused_is_kept_with_what_it_came_in(place: Place):
    (rejected,) = decode.accept(request("nameless", b""), now=NOW).rejected
    place.letters.keep([(rejected.request, rejected.reason)], tenant="acme")
    (letter,) = place.listed("--dead-letters")
    (group,) = json.loads(place.run("inspect", letter["id"]).stdout)["resourceSpans"]
    assert group["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "shop"}}]
    assert group["scopeSpans"][0]["spans"][0]["name"] == "nameless"


def test_what_is_no_request_at_all_is_shown_as_bytes(place: Place):
    place.letters.keep([(b"\xff\xff", "It cannot be read.")], tenant="acme")
    (letter,) = place.listed("--dead-letters")
    assert json.loads(place.run("inspect", letter["id"]).stdout)["hex"] == "ffff"
    replayed = place.run("replay", "--all")
    assert (replayed.exit_code, len(place.listed("--dead-letters"))) == (1, 1)


def test_unknown_letters_are_told_and_the_known_put_back(place: Place):
    place.letters.keep([(request("one"), "Because.")], tenant="acme")
    (letter,) = place.listed("--dead-letters")
    replayed = place.run("replay", letter["id"], "none")
    assert (replayed.exit_code, "no dead letter 'none'" in replayed.stderr) == (1, True)
    assert [each["tenant"] for each in place.listed()] == ["acme"]


@pytest.mark.parametrize("arguments", [["replay"], ["replay", "--all", "abc"]])
def test_which_letters_are_meant_must_be_clear(place: Place, arguments: list[str]):
    assert place.run(*arguments).exit_code == 2


def test_a_running_collector_is_looked_at_and_not_meddled_with(place: Place):
    place.append(request("one"))
    with closing(Journal(place.directory / "journal")):
        assert len(place.listed()) == 1
        for arguments in (["dead-letter", "1"], ["replay", "--all"]):
            refused = place.run(*arguments)
            assert (refused.exit_code, "Stop it first" in refused.stderr) == (2, True)
    assert len(place.listed()) == 1
