"""The faults that the database and the disk have in store, and what a collector makes of them."""

import http.client
import json
import logging
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_server import Fault, Server
from draining import Draining
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from process import Process, until
from urllib3 import Timeout

from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.store.database import Store

NOW = 1_767_225_600_000_000_000
HOUR = 3_600_000_000_000
INSERT = b"INSERT INTO otlp_requests"


def request(*names: str, size: int = 0) -> bytes:
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for name in names:
        times = {"start_time_unix_nano": NOW, "end_time_unix_nano": NOW + 1}
        span = scope.spans.add(trace_id=b"t" * 16, span_id=name.encode()[-8:].rjust(8, b"."), name=name, **times)
        if size:
            span.attributes.add(key="prompt").value.string_value = "x" * size
    return made.SerializeToString()


def calls(store: Store) -> list[str]:
    return [row["name"] for row in store.query("SELECT name FROM llm_calls FINAL ORDER BY name")]


@pytest.mark.fault("database overloaded")
@pytest.mark.parametrize(
    "code",
    [159, 202, 241, 242, 243, 252],
    ids=["time-out", "too many queries", "memory", "read-only", "no space", "too many parts"],
)
def test_what_passes_by_itself_is_waited_for_longer_and_longer(  # noqa: PLR0917 - as many as fixtures
    server: Server, served: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog, code: int
):
    pauses: list[str] = []
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0.0)
    server.faults.append(Fault(INSERT, code=code, times=9))
    with caplog.at_level(logging.WARNING), Draining(tmp_path, served.sibling) as draining:
        draining.append(request("one"))
        assert draining.journal.flush(60)
    for record in caplog.records:
        pauses += re.findall(r"next try in ([\d.]+) s", record.getMessage())
    assert pauses == ["0.2", "0.5", "1.0", "2.0", "4.0", "8.0", "16.0", "30.0", "30.0"]
    assert (calls(served), draining.letters.exists()) == (["one"], False)


@pytest.mark.fault("refused value")
@pytest.mark.parametrize("code", [27, 53], ids=["unparsable", "of another type"])
def test_a_value_that_is_refused_costs_no_other_span(server: Server, served: Store, tmp_path: Path, code: int):
    server.faults.append(Fault(b"poison", code=code))
    with Draining(tmp_path, served.sibling) as draining:
        draining.append(request("one", "poison", "two"), spans=3)
        assert draining.journal.flush(30)
    assert calls(served) == ["one", "two"]
    assert len(draining.letters.read_text().splitlines()) == 1


class Impatient:
    """Opens a store that waits a second for its answers, until it is told to wait longer."""

    def __init__(self, served: Store) -> None:
        self._address = replace(served.address, timeout=1)
        self._opened: list[Store] = []

    def __call__(self) -> Store:
        self._opened.append(Store.open(self._address))
        return self._opened[-1]

    def calm_down(self) -> None:
        """A machine that is busy with other things takes seconds over an insert."""
        for store in self._opened:
            store._client.timeout = Timeout(60)


@pytest.mark.fault("database slow")
def test_an_answer_that_comes_too_late_doubles_nothing(server: Server, served: Store, tmp_path: Path):
    """The insert took place, and nobody heard of it in time."""
    is_told = threading.Event()
    server.faults.append(Fault(b"slow-4711", times=1, withholds=is_told))

    impatient = Impatient(served)
    with Draining(tmp_path, impatient) as draining:
        draining.append(request("slow-4711"))
        until(lambda: not server.faults[0].times and "read timeout=1" in draining.drain.trouble, 60)
        impatient.calm_down()
        is_stored = draining.journal.flush(60)
        is_told.set()
    assert is_stored
    assert served.query("SELECT SpanName AS name FROM otel_traces") == [{"name": "slow-4711"}]


@pytest.mark.fault("database down")
def test_an_outage_that_outlasts_the_memory_of_inserts_counts_each_call_once(
    server: Server, served: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Two hours after an insert whose answer was lost the database knows nothing of it, and takes it once more."""
    assert served.reads_protobuf
    server.faults.append(Fault(b"lost-4711", times=2, loses_answer=True))
    time_ns, hours = time.time_ns, threading.Event()
    monkeypatch.setattr(time, "time_ns", lambda: time_ns() + 2 * HOUR * hours.is_set())
    with Draining(tmp_path, served.sibling) as draining:
        is_away = Fault(b"SELECT now64", code=210)
        server.faults.append(is_away)
        draining.append(request("lost-4711"))
        until(lambda: "as told" in draining.drain.trouble)
        for table in remembering(served):
            served.run(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 0")
        hours.set()
        server.faults.remove(is_away)
        assert draining.journal.flush(60)
    assert served.query("SELECT count() AS copies FROM otel_traces")[0]["copies"] > 1
    assert calls(served) == ["lost-4711"]


IN_THE_WAY = {
    "wrong credentials": (Fault(INSERT, code=516, says="Authentication failed"), "Authentication failed"),
    "wrong credentials at the start": (Fault(b"", code=516, says="Authentication failed"), "Authentication failed"),
    "a proxy without a server": (Fault(INSERT, status=503), "HTTP status 503"),
    "a gateway without a server": (Fault(INSERT, status=502), "HTTP status 502"),
    "lost before the insert": (Fault(INSERT, drops="before"), "Connection aborted"),
    "lost in the middle of the insert": (Fault(INSERT, drops="middle"), "Connection aborted"),
    "lost before the answer": (Fault(INSERT, loses_answer=True), "Connection aborted"),
    "too slow": (Fault(INSERT, withholds=threading.Event()), "read timeout=1"),
}


@pytest.mark.fault("database out of reach")
@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_cannot_be_inserted_is_kept_and_why_is_told(  # noqa: PLR0917 - as many as fixtures
    server: Server, served: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog, case: str
):
    monkeypatch.setattr(random, "uniform", lambda _low, _high: 0.1)
    fault, told = IN_THE_WAY[case]
    server.faults.append(fault)
    opening = Impatient(served) if fault.withholds else served.sibling
    with Draining(tmp_path, opening) as draining:
        draining.append(request("one"))
        until(lambda: told in draining.drain.trouble, 60)
        assert draining.journal.backlog().entries == 1
        server.faults.remove(fault)
        if isinstance(opening, Impatient):
            opening.calm_down()
        assert draining.journal.flush(60)
        if fault.withholds:
            fault.withholds.set()
    assert served.query("SELECT SpanName AS name, count() AS copies FROM otel_traces GROUP BY name") == [
        {"name": "one", "copies": 1}
    ]
    assert (calls(served), draining.letters.exists()) == (["one"], False)
    assert draining.counters.snapshot()["batches_read_by_python"] == 0


@pytest.mark.fault("database out of reach")
@pytest.mark.parametrize(
    "fault",
    [
        Fault(INSERT, times=1, drops="before"),
        Fault(INSERT, times=1, drops="middle"),
        Fault(INSERT, times=1, loses_answer=True),
    ],
    ids=["before", "in the middle", "after"],
)
def test_an_insert_that_the_driver_sends_again_is_one(server: Server, served: Store, tmp_path: Path, fault: Fault):
    assert served.reads_protobuf
    server.faults.append(replace(fault))
    with Draining(tmp_path, served.sibling) as draining:
        assert draining.journal.flush(30)
        draining.append(request("one"))
        assert draining.journal.flush(60)
    assert server.faults[0].times == 0
    assert served.query("SELECT SpanName AS name FROM otel_traces") == [{"name": "one"}]


def remembering(store: Store) -> list[str]:
    """The tables that know what was inserted into them."""
    rows = store.query(
        """
        SELECT name FROM system.tables
        WHERE database = currentDatabase() AND create_table_query LIKE '%non_replicated_deduplication_window%'
        """
    )
    return [row["name"] for row in rows]


@pytest.mark.fault("huge request")
def test_a_hundred_thousand_spans_in_one_request_are_stored(served: Store, tmp_path: Path):
    names = [f"{number:06}" for number in range(100_000)]
    with Draining(tmp_path, served.sibling) as draining:
        draining.append(request(*names), spans=len(names))
        assert draining.journal.flush(120)
    assert served.query("SELECT uniqExact(SpanId) AS spans, count() AS rows FROM otel_traces") == [
        {"spans": 100_000, "rows": 100_000}
    ]


@pytest.mark.fault("huge attribute")
def test_a_prompt_of_ten_megabytes_is_stored_whole(served: Store, tmp_path: Path):
    with Draining(tmp_path, served.sibling) as draining:
        draining.append(request("long", size=10 << 20))
        draining.append(request("short"))
        assert draining.journal.flush(60)
    lengths = "SELECT SpanName AS name, length(SpanAttributes['prompt']) AS length FROM otel_traces ORDER BY name"
    assert served.query(lengths) == [{"name": "long", "length": 10 << 20}, {"name": "short", "length": 0}]


def post(collector: Process, body: bytes) -> tuple[int, str | None]:
    with closing(http.client.HTTPConnection(collector.otlp, timeout=30)) as connection:
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        response = connection.getresponse()
        response.read()
        return response.status, response.headers["retry-after"]


def nowhere(directory: Path) -> str:
    """A store that is never there, so that all stays in the journal."""
    return f"clickhouse://127.0.0.1:1/costs?directory={directory}"


def kept(directory: Path) -> list[str]:
    """The names of the spans in the journal that a killed collector left."""
    journal = Journal(directory / "journal")
    batch = journal.claim()
    journal.close()
    requests = [ExportTraceServiceRequest.FromString(entry.plain) for entry in batch.entries] if batch else []
    return [made.resource_spans[0].scope_spans[0].spans[0].name for made in requests]


@pytest.mark.fault("full disk")
def test_a_disk_that_fills_up_refuses_and_takes_again_when_there_is_room(tmp_path: Path):
    collector = Process(nowhere(tmp_path))
    sent = (f"{number:06}" for number in range(1000))
    unlimited = resource.RLIM_INFINITY
    acknowledged = [next(sent)]
    assert post(collector, request(acknowledged[0], size=50_000)) == (200, None)
    # A file that may grow no more is what a full disk is to whoever writes it.
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, (300_000, unlimited))
    while (answer := post(collector, request(name := next(sent), size=50_000)))[0] == 200:
        acknowledged.append(name)
    assert answer == (503, "1")
    resource.prlimit(collector.process.pid, resource.RLIMIT_FSIZE, (unlimited, unlimited))
    acknowledged.append(next(sent))
    assert post(collector, request(acknowledged[-1], size=50_000)) == (200, None)
    collector.kill()
    assert kept(tmp_path) == acknowledged


def traces() -> bool:
    """Whether system calls can be watched here."""
    strace = shutil.which("strace")
    if not strace:
        return False
    tried = subprocess.run([strace, "-e", "trace=none", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.mark.fault("power loss")
@pytest.mark.skipif(not traces(), reason="strace is not there, or may not trace")
def test_an_answer_leaves_only_after_the_disk_has_what_it_promises(tmp_path: Path):
    """As the kernel saw it: a machine that loses power keeps what was synced, and nothing else."""
    log = tmp_path / "calls"
    watched = "trace=fdatasync,fsync,write,writev,sendto,sendmsg"
    strace = ["strace", "-f", "-y", "-s", "40", "-e", watched, "-o", str(log)]
    collector = Process(nowhere(tmp_path), under=strace)
    assert [post(collector, request(name)) for name in ("one", "two", "three")] == [(200, None)] * 3
    # Not to whoever watches it, who would keep the signal.
    os.kill(json.loads((tmp_path / "collector.json").read_text())["pid"], signal.SIGKILL)
    collector.process.communicate(timeout=30)
    syncing: set[str] = set()
    events = ""
    for line in log.read_text(errors="replace").splitlines():
        thread = line.split()[0]
        if re.search(r"f(data)?sync\(\d+<[^>]*\.journal-wal", line):
            syncing.add(thread)
        if thread in syncing and re.search(r"(sync\(.*\)|sync resumed>.*\)) += 0", line):
            syncing.discard(thread)
            events += "s"
        events += "a" if "HTTP/1.1 200" in line else ""
    assert len(re.findall("s+a", events)) == 3


@pytest.mark.fault("told to stop")
def test_a_collector_that_is_told_to_stop_under_load_stores_all_within_seconds(tmp_path: Path):
    store = f"chdb://{tmp_path}/store"
    collector = Process(store)
    acknowledged: list[str] = []
    is_over = threading.Event()

    def send() -> None:
        while not is_over.is_set():
            name = f"{len(acknowledged):06}"
            try:
                status, _ = post(collector, request(name))
            except (OSError, http.client.HTTPException):
                return
            if status == 200:
                acknowledged.append(name)

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: collector.batches > 0)
    began = time.monotonic()
    status = collector.terminate()
    took = time.monotonic() - began
    is_over.set()
    sender.join()
    assert (status, took < 5) == (0, True)
    assert {name.encode().rjust(8, b".").hex() for name in acknowledged} <= stored(store).keys()


def stored(store: str) -> dict[str, list[int]]:
    return json.loads(Process.ask("spans", store))
