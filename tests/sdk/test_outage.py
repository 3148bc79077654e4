"""What a collector does not take waits on disk, in this process and for the next."""

from __future__ import annotations

import logging
import os
import sys
import threading

import pytest
from collecting import until
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

import tokentrace
from tokentrace import session
from tokentrace.delivery.keeper import Keeper
from tokentrace.delivery.queue import Delivery
from tokentrace.delivery.spool import Spool


def anything(names):
    return True


def down(names):
    return False


class Moody(SpanExporter):
    """Takes the batches that it likes; hangs while it is told to."""

    def __init__(self, likes=anything) -> None:
        self.likes = likes
        self.got: list[str] = []
        self.hangs = False
        self.on = threading.Event()
        self.asked = 0

    def export(self, spans):
        self.asked += 1
        names = [span.name for span in spans]
        if self.hangs:
            self.on.wait(60)
        if not self.likes(names):
            return SpanExportResult.FAILURE
        self.got += names
        return SpanExportResult.SUCCESS

    def shutdown(self):
        self.on.set()


def spans(*names):
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    made = [tracer.start_span(name) for name in names]
    for span in made:
        span.end()
    return made


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr("tokentrace.delivery.sender.DELAY", 0.01)
    monkeypatch.setattr("tokentrace.delivery.watch.LATE", 0.01)


@pytest.fixture
def delivering(tmp_path):
    """Makes deliveries with one directory, as processes that follow each other."""
    made = []

    def delivering(exporter, *, size=1000, root=tmp_path / "spool", identity="one", disk_size=1 << 20):
        def disk(counts):
            return Keeper(Spool(root, identity, disk_size, counts), counts)

        made.append(Delivery(exporter, size, disk=disk))
        return made[-1]

    yield delivering
    for delivery in made:
        delivery.close(0.0)


def put(delivery, *names):
    for span in spans(*names):
        delivery.put(span)


class Completion:
    """What a span still lacks: a mark behind its name, which may be long in coming."""

    size = 0

    def __init__(self, come: threading.Event | None = None) -> None:
        self.come = come

    def drop(self) -> None:
        """There is nothing to let go of."""

    def __call__(self, span):
        if self.come is not None:
            self.come.wait(60)
        (made,) = spans(f"{span.name}!")
        return made


def put_unfinished(delivery, *names, come=None):
    for span in spans(*names):
        delivery.expect(span.get_span_context().span_id, Completion(come))
        delivery.put(span)


def test_a_span_is_finished_before_it_goes_anywhere(delivering):
    """To the collector, to the disk, or there behind a collector that hangs."""
    exporter = Moody()
    delivery = delivering(exporter)
    put_unfinished(delivery, "a")
    assert delivery.flush(20)
    exporter.likes = down
    put_unfinished(delivery, "b")
    until(lambda: delivery.standing.on_disk == 1)
    put_unfinished(delivery, "c")
    until(lambda: delivery.standing.on_disk == 2)
    exporter.likes = anything
    assert delivery.flush(20)
    assert sorted(exporter.got) == ["a!", "b!", "c!"]


def test_the_end_waits_for_no_span_to_be_finished(delivering):
    come = threading.Event()
    exporter = Moody()
    exporter.hangs = True
    first = delivering(exporter)
    put(first, "a")
    until(lambda: first.standing.on_disk == 1)
    put_unfinished(first, "b", come=come)
    put_unfinished(first, "c")
    first.close(0.5)

    assert first.counts.lost == 0
    later = Moody()
    second = delivering(later)
    put(second, "d")
    until(lambda: {"b", "c"} <= {name.rstrip("!") for name in later.got})
    come.set()
    exporter.on.set()


def test_an_outage_costs_nothing_but_time(delivering):
    exporter = Moody(down)
    delivery = delivering(exporter)
    put(delivery, "a", "b")
    until(lambda: delivery.standing.on_disk == 2)
    put(delivery, "c")
    until(lambda: delivery.standing.on_disk == 3)
    assert (delivery.standing.in_memory, delivery.counts.spooled) == (0, 3)
    exporter.likes = anything
    assert delivery.flush(20)
    assert sorted(exporter.got) == ["a", "b", "c"]
    assert (delivery.counts.delivered, delivery.counts.replayed, delivery.counts.lost) == (3, 3, 0)
    assert delivery.standing.on_disk == 0


def test_what_waits_behind_a_collector_that_hangs_is_put_on_disk_too(delivering):
    exporter = Moody()
    exporter.hangs = True
    delivery = delivering(exporter)
    put(delivery, "under way")
    until(lambda: exporter.asked == 1)
    put(delivery, "queued")
    until(lambda: delivery.standing.on_disk == 2)


def test_a_late_answer_takes_the_batch_off_the_disk(delivering):
    exporter = Moody()
    exporter.hangs = True
    delivery = delivering(exporter)
    put(delivery, "late")
    until(lambda: delivery.standing.on_disk == 1)
    exporter.hangs = False
    exporter.on.set()
    assert delivery.flush(20)
    assert exporter.got == ["late"]
    assert (delivery.counts.delivered, delivery.counts.replayed, delivery.counts.spooled) == (1, 0, 1)


def test_the_next_process_delivers_what_one_has_left(delivering):
    first = delivering(Moody(down))
    put(first, "a", "b")
    assert not first.close(0.3)
    assert (first.standing.on_disk, first.counts.lost) == (2, 0)
    exporter = Moody()
    second = delivering(exporter)
    put(second, "c")
    until(lambda: len(exporter.got) == 3)
    # The living come first.
    assert exporter.got == ["c", "a", "b"]
    until(lambda: second.counts.replayed == 2)
    assert second.counts.delivered == 1
    assert second.close()


def test_the_past_is_not_sent_to_a_collector_that_takes_nothing(delivering):
    first = delivering(Moody(down))
    put(first, "old")
    first.close(0.3)
    exporter = Moody(down)
    second = delivering(exporter)
    put(second, "new")
    until(lambda: second.standing.on_disk == 1)
    second.close(0.3)
    third = Moody()
    delivery = delivering(third)
    put(delivery, "newest")
    until(lambda: third.got == ["newest", "old", "new"])


def test_what_one_process_has_left_is_delivered_once_however_many_look_for_it(delivering):
    first = delivering(Moody(down))
    put(first, *(f"old {number}" for number in range(20)))
    first.close(0.3)
    exporters = [Moody() for _ in range(4)]
    for exporter in exporters:
        put(delivering(exporter), "new")
    until(lambda: sum(len(exporter.got) for exporter in exporters) == 24)
    assert sorted(len(exporter.got) for exporter in exporters) == [1, 1, 1, 21]


def test_one_batch_that_is_always_refused_does_not_hold_up_the_others(delivering):
    exporter = Moody(down)
    delivery = delivering(exporter)
    put(delivery, "poison")
    until(lambda: delivery.standing.on_disk == 1)
    put(delivery, "good")
    until(lambda: delivery.standing.on_disk == 2)
    exporter.likes = lambda names: "poison" not in names

    # Others pass it long before it is given up.
    until(lambda: delivery.flush(0.01) or "good" in exporter.got)
    assert delivery.counts.refused == 0

    def refused():
        put(delivery, "alive")
        delivery.flush(0.05)
        return delivery.counts.refused == 1

    until(refused)
    assert delivery.flush(20)
    assert exporter.got.count("good") == 1
    assert (delivery.standing.on_disk, delivery.counts.lost) == (0, 1)


def test_an_outage_however_long_refuses_nobody(delivering):
    exporter = Moody(down)
    delivery = delivering(exporter)
    put(delivery, "a")
    until(lambda: delivery.standing.on_disk == 1)
    until(lambda: delivery.flush(0.01) or exporter.asked > 50)
    assert (delivery.standing.on_disk, delivery.counts.lost) == (1, 0)


def test_a_span_that_cannot_be_encoded_spoils_only_itself(delivering):
    exporter = Moody(down)
    delivery = delivering(exporter)
    put(delivery, "a", "\ud800", "b")
    until(lambda: delivery.standing.on_disk == 2)
    assert delivery.counts.unreadable == 1
    exporter.likes = anything
    assert delivery.flush(20)
    assert sorted(exporter.got) == ["a", "b"]


def test_a_burst_goes_to_the_disk_before_the_queue_overflows(delivering, monkeypatch):
    monkeypatch.setattr("tokentrace.delivery.watch.LATE", 60)
    exporter = Moody()
    exporter.hangs = True
    delivery = delivering(exporter, size=2000)
    for _ in range(10):
        put(delivery, *("burst" for _ in range(480)))
        # A batch under way, and half of what the queue holds.
        until(lambda: delivery.standing.in_memory < 512 + 1000)
    assert delivery.standing.on_disk > 2000
    assert delivery.counts.lost == 0


def test_a_disk_that_cannot_be_written_leaves_spans_in_memory_and_says_so_once(delivering, tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    exporter = Moody(down)
    delivery = delivering(exporter, root=tmp_path / "file" / "spool")
    with caplog.at_level(logging.WARNING, "tokentrace"):
        put(delivery, "a")
        until(lambda: delivery.standing.problem)
        put(delivery, "b")
        assert not delivery.flush(0.1)
    assert [record.getMessage()[:36] for record in caplog.records] == ["tokentrace cannot keep spans on disk"]
    assert (delivery.standing.in_memory, delivery.standing.on_disk, delivery.counts.lost) == (2, 0, 0)
    exporter.likes = anything
    assert delivery.flush(20)
    assert exporter.got == ["a", "b"]


def test_a_disk_that_can_be_written_again_is_used_again(delivering, tmp_path, monkeypatch):
    monkeypatch.setattr("tokentrace.delivery.keeper.REST", 0.01)
    (tmp_path / "file").write_text("in the way")
    delivery = delivering(Moody(down), root=tmp_path / "file" / "spool")
    put(delivery, "a")
    until(lambda: delivery.standing.problem)
    (tmp_path / "file").unlink()
    until(lambda: delivery.standing.on_disk == 1)
    assert delivery.standing[1:] == (0, 1, str(tmp_path / "file" / "spool" / "one"), None)


def test_losses_are_told_to_the_metrics_of_the_application(collector, monkeypatch, tmp_path):
    monkeypatch.setenv("TOKENTRACE_SPOOL", str(tmp_path))
    # No answer of this collector is late.
    monkeypatch.setattr("tokentrace.delivery.watch.LATE", 1)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)

    def told():
        data = reader.get_metrics_data()
        return {
            (metric.name, *point.attributes.values()): point.value
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if "spans" in metric.name
        }

    collector.status = 400
    tokentrace.instrument(endpoint=collector.endpoint, meter_provider=provider)
    try:
        with tokentrace.step("waits"):
            pass
        until(lambda: ("tokentrace.client.spans.spooled",) in told())
        (home,) = tmp_path.iterdir()
        (home / "9-dead.lost").write_bytes(b"%020d" % 7)
        collector.status = 200
        assert tokentrace.flush(20)
        with tokentrace.step("well again"):
            pass
        assert tokentrace.flush(20)
    finally:
        tokentrace.uninstrument()
    until(lambda: ("tokentrace.client.spans.lost", "earlier") in told())
    assert told() == {
        ("tokentrace.client.spans.delivered",): 2,
        ("tokentrace.client.spans.spooled",): 1,
        ("tokentrace.client.spans.replayed",): 1,
        ("tokentrace.client.spans.lost", "earlier"): 7,
    }


@pytest.mark.parametrize("off", ["off", "OFF"])
def test_a_spool_that_is_off_writes_nothing(collector, tmp_path, monkeypatch, off):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    collector.status = 400
    tokentrace.instrument(endpoint=collector.endpoint, spool=off)
    with tokentrace.step("lost"):
        pass
    assert not tokentrace.flush(0.2)
    tokentrace.uninstrument()
    assert list(tmp_path.iterdir()) == []


def test_spans_for_an_exporter_of_the_applications_own_wait_in_memory_only(tmp_path):
    tokentrace.instrument(exporter=Moody(down), spool=tmp_path / "spool")
    with tokentrace.step("lost"):
        pass
    assert not tokentrace.flush(0.2)
    tokentrace.uninstrument()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="XDG")
def test_the_usual_place_is_that_of_the_platform(monkeypatch):
    monkeypatch.delenv("TOKENTRACE_SPOOL")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    given = str(tokentrace.Config.resolve().spool_directory)
    # A relative path in the variable counts for nothing, says the specification.
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    monkeypatch.setenv("HOME", "/home/x")
    assert (given, str(tokentrace.Config.resolve().spool_directory)) == (
        "/state/tokentrace/spool", "/home/x/.local/state/tokentrace/spool",
    )  # fmt: skip


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="XDG")
def test_a_user_without_a_home_has_no_usual_place(monkeypatch):
    for name in ("TOKENTRACE_SPOOL", "XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 987654)
    assert tokentrace.Config.resolve().spool_directory is None


def test_arguments_and_variables_say_where_and_how_much(monkeypatch):
    monkeypatch.setenv("TOKENTRACE_SPOOL", "/a")
    monkeypatch.setenv("TOKENTRACE_SPOOL_SIZE", "100000")
    config = tokentrace.Config.resolve()
    given = tokentrace.Config.resolve(spool="/b", spool_size=200_000)
    assert (str(config.spool_directory), config.spool_size) == (os.sep + "a", 100_000)
    assert (str(given.spool_directory), given.spool_size) == (os.sep + "b", 200_000)
    with pytest.raises(ValueError, match="A spool of 5 bytes is too small"):
        tokentrace.Config.resolve(spool_size=5)


def test_what_waits_on_disk_leaves_by_grpc_too():
    grpc = pytest.importorskip("grpc")
    from concurrent.futures import ThreadPoolExecutor

    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages, trace_service_pb2_grpc as service

    names = []

    class Service(service.TraceServiceServicer):
        status = grpc.StatusCode.INVALID_ARGUMENT

        def Export(self, request, context):  # noqa: N802  (grpc calls it so)
            if self.status is not None:
                context.abort(self.status, "no")
            names.extend(s.name for r in request.resource_spans for scope in r.scope_spans for s in scope.spans)
            return messages.ExportTraceServiceResponse()

    serving = Service()
    server = grpc.server(ThreadPoolExecutor(2))
    service.add_TraceServiceServicer_to_server(serving, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    tokentrace.instrument(endpoint=f"http://127.0.0.1:{port}", protocol="grpc")
    try:
        with tokentrace.step("waits"):
            pass
        delivery = session.current().delivery
        until(lambda: delivery.standing.on_disk == 1)
        serving.status = None
        assert tokentrace.flush(20)
        assert (names, delivery.counts.replayed) == (["waits"], 1)
    finally:
        tokentrace.uninstrument()
        server.stop(None).wait()
