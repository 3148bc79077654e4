"""A ClickHouse server instead of the embedded engine, with faults on demand."""

import base64
import json
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from clickhouse_server import Fault, Server
from draining import Draining
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tokentrace_collector.rollup.lease import Lease, TakenError
from tokentrace_collector.rollup.touches import Touches
from tokentrace_collector.store import schema
from tokentrace_collector.store.database import Store, StoreError

NOW = 1_767_225_600_000_000_000


def request(*numbers: int, name: str = "chat") -> bytes:
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for number in numbers:
        times = {"start_time_unix_nano": NOW, "end_time_unix_nano": NOW + 1}
        scope.spans.add(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), name=name, **times)
    return made.SerializeToString()


def names(store: Store) -> list[str]:
    return [row["SpanName"] for row in store.query("SELECT SpanName FROM otel_traces ORDER BY SpanName")]


def calls(store: Store) -> list[str]:
    return [row["name"] for row in store.query("SELECT name FROM llm_calls FINAL ORDER BY name")]


def test_a_server_takes_the_same_schema_and_raw_spans(server: Server, empty_store: Store):
    with closing(Store.open(f"{server.address}/{empty_store.address.database}")) as served:
        schema.apply(served)
        assert served.insert_spans([request(1, 2)], tenant="acme", token="one")
        assert served.query("SELECT Tenant, count() AS spans FROM otel_traces GROUP BY Tenant") == [
            {"Tenant": "acme", "spans": 2}
        ]


def test_a_server_binds_values_itself(served: Store):
    hostile = "'; DROP TABLE otel_traces; -- \\ {x:String}"
    assert served.query("SELECT {value:String} AS value", value=hostile) == [{"value": hostile}]


def test_an_insert_whose_answer_was_lost_is_stored_once(server: Server, served: Store):
    assert served.reads_protobuf
    server.faults.append(Fault(b"INSERT INTO otlp_requests", times=1, loses_answer=True))
    before = server.inserts
    served.insert_spans([request(1, 2)], tenant="default", token="one")
    assert (server.inserts - before, len(names(served))) == (2, 2)


def test_a_server_that_cannot_read_otlp_gets_columns(server: Server, served: Store):
    server.faults.append(Fault(b"FORMAT Protobuf", code=73))
    assert not served.insert_spans([request(1, 2)], tenant="default", token="one")
    assert len(names(served)) == 2


def test_a_server_that_is_not_there_may_come_back():
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(StoreError) as raised:
            Store.open(f"clickhouse://127.0.0.1:{free.getsockname()[1]}")
    assert raised.value.is_transient


def test_collectors_of_one_server_take_turns(served: Store):
    """Also with one whose claim is all that is left of it, until that dies."""
    with closing(served.sibling()) as other:
        with Lease(served).held(), pytest.raises(TakenError), Lease(other).held():
            pass
        served.run(schema.sql("rollup/lease"), claim="0123-crashed", turn=1, life=1_000)
        with pytest.raises(TakenError), Lease(other).held():
            pass
        with Lease(other).held(patience=300) as hold:
            hold.check()


def test_a_run_that_goes_on_after_its_lease_leaves_the_work_list_of_the_next(served: Store):
    """It strikes out no more than what somebody has begun."""

    def touched(trace: str) -> None:
        served.insert("touched_traces", ["tenant", "trace_id"], [["default"], [trace]])

    with closing(served.sibling()) as other:
        late, following = Touches(served), Touches(other)
        touched("a")
        assert late.take(9) == 1
        following.take(9)
        following.drop()
        touched("b")
        touched("c")
        assert following.take(1) == 1
        late.drop()
        assert served.query("SELECT trace_id FROM taken_traces") == [{"trace_id": "c"}]
        assert following.are_waiting()


@pytest.mark.fault("database overloaded")
def test_a_server_that_is_overloaded_gets_everything_once_it_is_not(server: Server, served: Store, tmp_path: Path):
    server.faults.append(Fault(b"INSERT INTO otlp_requests", code=252, times=2))
    with Draining(tmp_path, served.sibling) as draining:
        draining.append(request(1, name="one"))
        assert draining.journal.flush(30)
    assert names(served) == ["one"]
    assert draining.counters.snapshot()["store_failures"] >= 1


@pytest.mark.fault("refused value")
def test_one_span_that_the_database_refuses_loses_no_other(server: Server, served: Store, tmp_path: Path):
    server.faults.append(Fault(b"poison", code=53))
    draining = Draining(tmp_path, served.sibling)
    draining.append(request(1, name="one"))
    draining.append(request(2, name="two") + request(3, name="poison") + request(4, name="four"), spans=3)
    draining.append(request(5, name="five"))
    with draining:
        assert draining.journal.flush(30)
    assert names(served) == ["five", "four", "one", "two"]
    assert [json.loads(line)["content"] for line in draining.letters.read_text().splitlines()] == [
        base64.b64encode(request(3, name="poison")).decode()
    ]
    assert draining.counters.snapshot()["spans_undeliverable"] == 1


@pytest.mark.fault("household of the database")
@pytest.mark.parametrize("code", [60, 76, 236, 1001], ids=["no table", "no handles", "shutting down", "surprise"])
def test_what_is_not_the_fault_of_spans_keeps_them_waiting(server: Server, served: Store, tmp_path: Path, code: int):
    server.faults.append(Fault(b"INSERT INTO", code=code, times=3))
    with Draining(tmp_path, served.sibling) as draining:
        draining.append(request(1, name="one"))
        assert draining.journal.flush(30)
    assert (names(served), draining.letters.exists()) == (["one"], False)


def test_spans_wait_while_the_journal_cannot_note_its_progress(served: Store, tmp_path: Path):
    with Draining(tmp_path, served.sibling) as draining:
        in_the_way = tmp_path / "journal" / "progress.new"
        in_the_way.mkdir()
        draining.append(request(1, name="one"))
        assert not draining.journal.flush(0.3)
        in_the_way.rmdir()
        assert draining.journal.flush(30)
        draining.append(request(2, name="two"))
        assert draining.journal.flush(30)
    assert names(served) == ["one", "two"]


@pytest.mark.fault("clock of the database")
@pytest.mark.parametrize("hours", [-2, 2])
def test_spans_are_found_again_by_a_database_whose_clock_is_not_ours(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
):
    time_ns, insert_spans = time.time_ns, Store.insert_spans

    def insert_and_fail(inserting: Store, *arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(Store, "insert_spans", insert_spans)
        insert_spans(inserting, *arguments, **named)
        raise StoreError("The answer was lost.", is_transient=True)

    monkeypatch.setattr(time, "time_ns", lambda: time_ns() + hours * 3_600_000_000_000)
    monkeypatch.setattr(Store, "insert_spans", insert_and_fail)
    with Draining(tmp_path, store.sibling) as draining:
        draining.append(request(1, name="one"))
        assert draining.journal.flush(30)
    assert names(store) == ["one"]


@pytest.mark.fault("household of the database")
@pytest.mark.parametrize("view", ["otlp_requests_mv", "llm_calls_mv"])
def test_spans_wait_while_a_view_they_pass_through_is_missing(store: Store, tmp_path: Path, view: str):
    """An upgrade that was ended half-way, and taken back, left it out."""
    store.run(f"DROP TABLE {view} SYNC")
    with Draining(tmp_path, store.sibling) as draining:
        draining.append(request(1, name="one"))
        assert not draining.journal.flush(0.3)
        assert "lacks the views" in draining.drain.trouble
        schema.apply(store)
        assert draining.journal.flush(30)
    assert (names(store), calls(store)) == (["one"], ["one"])


@pytest.mark.parametrize("view", ["otlp_requests_mv", "llm_calls_mv"])
def test_spans_that_came_while_another_made_a_view_anew_are_stored(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
):
    """The other is a newer collector on the same server, which upgrades the schema."""
    insert_spans = Store.insert_spans

    def insert_during_upgrade(inserting: Store, *arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(Store, "insert_spans", insert_spans)
        inserting.run(f"DROP TABLE {view} SYNC")
        was_raw = insert_spans(inserting, *arguments, **named)
        schema.apply(inserting)
        return was_raw

    monkeypatch.setattr(Store, "insert_spans", insert_during_upgrade)
    with Draining(tmp_path, store.sibling) as draining:
        draining.append(request(1, name="one"))
        assert draining.journal.flush(30)
    assert (names(store), calls(store)) == (["one"], ["one"])


@pytest.mark.fault("collector before database")
def test_spans_wait_for_a_server_that_starts_later(engine: Path, store: Store, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Server(engine / "engine")
    address, port = f"{first.address}/{store.address.database}", first.server_address[1]
    first.stop()
    with Draining(tmp_path, lambda: Store.open(address)) as draining:
        draining.append(request(1, name="one"))
        assert not draining.journal.flush(0.3)
        second = Server(engine / "engine", port)
        assert draining.journal.flush(30)
    second.stop()
    assert names(store) == ["one"]
