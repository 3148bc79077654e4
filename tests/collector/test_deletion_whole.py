"""Deletion where spans come in by the ports: nothing of it is left in a file, and nothing comes back."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tokentrace_collector import access, assembly
from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.config import Config
from tokentrace_collector.journal.deadletters import DEAD_LETTERS, DeadLetters
from tokentrace_collector.journal.entries import JOURNAL, Journal
from tokentrace_collector.journal.segment import Entry
from tokentrace_collector.otlp import from_json
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store

SECRET = "the-secret-of-ann"
ANN, BOB = "a" * 32, "b" * 32


def config_of(store: Store, directory: Path, **more: Any) -> Config:
    where = f"{store.address}&directory={directory}"
    return Config(store=where, http_port=0, grpc_port=0, api_port=0, batch_seconds=0.05, rollup_seconds=600, **more)


def spans(user: str, trace: str, *, span: str = "1" * 16, prompt: str = SECRET) -> bytes:
    attributes = {"user.id": user, "gen_ai.operation.name": "chat", "gen_ai.input.messages": prompt}
    told = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    one = {
        "traceId": trace, "spanId": span, "name": "call", "kind": 3, "attributes": told,
        "startTimeUnixNano": "1795168800000000000", "endTimeUnixNano": "1795168801000000000",
    }  # fmt: skip
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [one]}]}]}).encode()


def post(url: str, body: bytes, token: str = "") -> tuple[int, Any]:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def send(collector: Collector, body: bytes, token: str = "") -> None:
    status, _ = post(f"{collector.addresses.otlp_http}/v1/traces", body, token)
    assert status == 200


def delete(collector: Collector, token: str = "", **said: Any) -> tuple[int, Any]:
    return post(f"{collector.addresses.api}/v1/deletions", json.dumps(said).encode(), token)


def files_with(directory: Path, text: str) -> list[str]:
    return [str(each) for each in directory.rglob("*") if each.is_file() and text.encode() in each.read_bytes()]


def stored(store: Store) -> list[str]:
    return [row["TraceId"] for row in store.query("SELECT TraceId FROM otel_traces ORDER BY TraceId")]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "beside"


def test_no_file_of_the_journal_or_of_dead_letters_tells_of_it(empty_store: Store, directory: Path) -> None:
    with assembly.collector(config_of(empty_store, directory)) as collector:
        send(collector, spans("ann", ANN))
        send(collector, spans("ann", ANN, span="0" * 16))  # A dead letter: no span id.
        send(collector, spans("bob", BOB, prompt="the-words-of-bob"))
        send(collector, spans("bob", BOB, span="0" * 16, prompt="the-words-of-bob"))
        assert collector.flush(30)
        assert files_with(directory / JOURNAL, SECRET)
        assert len(list(DeadLetters(directory / DEAD_LETTERS).read())) == 2
        status, deleted = delete(collector, user="ann")
        assert (status, deleted["rows"]["otel_traces"], deleted["rows"]["dead_letters"]) == (200, 1, 1)
        assert not files_with(directory, SECRET)
        (letter,) = DeadLetters(directory / DEAD_LETTERS).read()
        assert b"the-words-of-bob" in letter.content
        send(collector, spans("bob", BOB, span="2" * 16))
        assert collector.flush(30)
        verified = collector.rollup("verify")["verified"]
        assert verified is not None
        assert verified["differences"] == []
        assert collector.counters.snapshot()["deletions"] == 1
        assert stored(empty_store) == [BOB, BOB]


def test_it_does_not_come_back_with_the_next_collector(empty_store: Store, directory: Path) -> None:
    with assembly.collector(config_of(empty_store, directory)) as collector:
        send(collector, spans("ann", ANN))
        send(collector, spans("bob", BOB))
        assert collector.flush(30)
        assert delete(collector, trace=ANN.upper())[0] == 200
    # Even where how far it had come is forgotten.
    (directory / JOURNAL / "progress").unlink()
    with assembly.collector(config_of(empty_store, directory)) as collector:
        send(collector, spans("bob", BOB, span="3" * 16))
        assert collector.flush(30)
        assert stored(empty_store) == [BOB, BOB]


def test_what_is_counted_only_stays(empty_store: Store, directory: Path) -> None:
    with assembly.collector(config_of(empty_store, directory)) as collector:
        send(collector, spans("ann", ANN))
        assert collector.flush(30)
        status, counted = delete(collector, user="ann", dry_run=True)
        assert (status, counted["rows"]["otel_traces"]) == (200, 1)
        assert stored(empty_store) == [ANN]
        assert collector.counters.snapshot()["deletions"] == 0


def test_what_waits_is_deleted_without_a_collector(empty_store: Store, directory: Path) -> None:
    """The journal of one that was ended before it could store."""
    with assembly.collector(config_of(empty_store, directory)) as collector:
        assert collector.flush(30)
    journal = Journal(directory / JOURNAL)
    for user, trace in (("ann", ANN), ("bob", BOB)):
        accepted = from_json.accept(spans(user, trace), now=1)
        journal.append(Entry("default", accepted.body, "", 1, len(accepted.body), 1)).result()
    journal.close()
    assert files_with(directory, SECRET)
    where = ["--store", f"{empty_store.address}&directory={directory}"]
    refused = CliRunner().invoke(tokentrace, ["delete", "--user", "ann", *where], input="n\n")
    assert refused.exit_code == 1
    assert files_with(directory, SECRET)
    done = CliRunner().invoke(tokentrace, ["delete", "--user", "ann", "--yes", "--json", *where])
    assert (done.exit_code, json.loads(done.stdout)["rows"]["otel_traces"]) == (0, 1)
    assert stored(empty_store) == [BOB]
    assert not files_with(directory, SECRET)


@pytest.mark.parametrize("given", [[], ["--user", "a", "--trace", "b"]])
def test_one_thing_is_deleted_at_a_time(given: list[str]) -> None:
    assert CliRunner().invoke(tokentrace, ["delete", *given]).exit_code == 2


@pytest.fixture
def tokens(tmp_path: Path) -> Callable[[str, str, list[str]], str]:
    path = tmp_path / "access.yaml"

    def add(name: str, tenant: str, may: list[str]) -> str:
        access.append(path, {"name": name, "tenant": tenant, "may": may, "token_sha256": access.digest(name)})
        return name

    return add


def test_a_tenant_deletes_its_own_alone(
    empty_store: Store, directory: Path, tmp_path: Path, tokens: Callable[[str, str, list[str]], str]
) -> None:
    acme = tokens("acme", "acme", ["send", "operate"])
    globex = tokens("globex", "globex", ["send", "operate"])
    asking = tokens("asking", "acme", ["ask"])
    with assembly.collector(config_of(empty_store, directory, access=tmp_path / "access.yaml")) as collector:
        for token in (acme, globex):
            send(collector, spans("ann", ANN), token)
        assert collector.flush(30)
        assert delete(collector, user="ann")[0] == 401
        assert delete(collector, asking, user="ann")[0] == 403
        assert delete(collector, acme, tenant="globex")[0] == 403
        assert len(stored(empty_store)) == 2
        assert delete(collector, acme, trace=ANN)[1]["rows"]["otel_traces"] == 1
        assert empty_store.query("SELECT Tenant FROM otel_traces") == [{"Tenant": "globex"}]
        assert delete(collector, globex, tenant="globex")[1]["rows"]["otel_traces"] == 1
        assert stored(empty_store) == []


MISUNDERSTOOD = [
    b"", b"[]", b"{}", b'{"user": ""}', b'{"user": 1}', b'{"user": "a", "trace": "b"}', b'{"team": "a"}',
    b'{"user": "a", "dry_run": "no"}', b"\xff",
]  # fmt: skip


def test_what_is_not_understood_deletes_nothing(empty_store: Store, directory: Path) -> None:
    with assembly.collector(config_of(empty_store, directory)) as collector:
        send(collector, spans("ann", ANN))
        assert collector.flush(30)
        for said in MISUNDERSTOOD:
            status, answer = post(f"{collector.addresses.api}/v1/deletions", said)
            assert (status, "tenant" in answer["error"]) == (400, True), said
        assert stored(empty_store) == [ANN]
