"""Spans reach a collector over real sockets, through outages, and never hold up the end of the application."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from collecting import until
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import tokentrace
from tokentrace.delivery.export import Processor
from tokentrace.delivery.queue import Delivery


class Failing(SpanExporter):
    """Fails as often as it is told to, then keeps what it gets."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.got: list[str] = []

    def export(self, spans):
        if self.failures:
            self.failures -= 1
            return SpanExportResult.FAILURE
        self.got += [span.name for span in spans]
        return SpanExportResult.SUCCESS

    def shutdown(self):
        pass


class Awaited(SpanExporter):
    """Says when something came."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def export(self, spans):
        self.came.set()
        return SpanExportResult.SUCCESS

    def shutdown(self):
        pass


class Stuck(SpanExporter):
    """Does not come back until it is shut down."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def export(self, spans):
        self.over.wait(30)
        return SpanExportResult.FAILURE

    def shutdown(self):
        self.over.set()


def spans(*names):
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("test")
    made = [tracer.start_span(name) for name in names]
    for span in made:
        span.end()
    return made


def test_a_span_arrives_gzipped_with_its_headers_and_service(collector):
    tokentrace.instrument(endpoint=collector.endpoint, headers={"authorization": "Bearer x"}, service_name="shop")
    try:
        with tokentrace.step("plan"):
            pass
        assert tokentrace.flush(10)
    finally:
        tokentrace.uninstrument()
    resource, span = collector.spans[0]
    said = {attribute.key: attribute.value.string_value for attribute in resource.attributes}
    assert (span.name, said["service.name"], collector.requests[0]["authorization"]) == ("plan", "shop", "Bearer x")


def test_uninstrument_delivers_what_is_queued(collector):
    tokentrace.instrument(endpoint=collector.endpoint)
    for _ in range(1000):
        with tokentrace.step("s"):
            pass
    tokentrace.uninstrument()
    assert len(collector.spans) == 1000


def test_a_batch_that_fails_is_tried_again_in_order(monkeypatch):
    monkeypatch.setattr("tokentrace.delivery.sender.DELAY", 0.01)
    exporter = Failing(failures=1)
    delivery = Delivery(exporter, 100)
    for span in spans("a", "b"):
        delivery.put(span)
    assert delivery.flush(20)
    assert (exporter.got, delivery.counts.delivered, delivery.counts.dropped) == (["a", "b"], 2, 0)
    delivery.close()


def test_a_span_after_a_quiet_time_needs_nobody_to_ask_for_it(monkeypatch):
    monkeypatch.setattr("tokentrace.delivery.sender.DELAY", 0.01)
    exporter = Awaited()
    delivery = Delivery(exporter, 100)
    for number, span in enumerate(spans(*"abcde"), 1):
        delivery.put(span)
        assert exporter.came.wait(20)
        exporter.came.clear()
        until(lambda number=number: delivery.counts.delivered == number)
    delivery.close()


def test_a_flush_tries_again_at_once(monkeypatch):
    exporter = Failing(failures=1)
    delivery = Delivery(exporter, 100)
    delivery.put(spans("a")[0])
    assert not delivery.flush(0.5)
    # Without being asked the next try would come seconds later.
    began = time.monotonic()
    assert delivery.flush(20)
    assert (exporter.got, time.monotonic() - began < 1) == (["a"], True)
    delivery.close()


def test_a_thread_that_cannot_be_started_is_started_with_the_next_span(monkeypatch):
    exporter = Failing(failures=0)
    delivery = Delivery(exporter, 100)
    first, second = spans("a", "b")
    with monkeypatch.context() as exhausted:
        exhausted.setattr(threading.Thread, "start", _no_thread)
        with pytest.raises(RuntimeError):
            delivery.put(first)
    delivery.put(second)
    assert delivery.flush(20)
    assert exporter.got == ["a", "b"]
    delivery.close()


def _no_thread(thread):
    raise RuntimeError("can't start new thread")


def test_flush_reaches_the_provider_that_was_given():
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=60_000))
    tokentrace.instrument(tracer_provider=provider)
    with tokentrace.step("s"):
        pass
    assert tokentrace.flush(10)
    assert [span.name for span in exporter.get_finished_spans()] == ["s"]
    tokentrace.uninstrument()
    provider.shutdown()


def test_the_applications_flush_does_not_fail_for_ours():
    provider = TracerProvider(shutdown_on_exit=False)
    processor = Processor()
    provider.add_span_processor(processor)
    processor.delivery = Delivery(Failing(failures=99), 10)
    processor.delivery.put(spans("a")[0])
    assert provider.force_flush(100)
    processor.delivery.close(0.0)


def test_a_full_queue_drops_the_oldest_and_counts_them():
    exporter = Stuck()
    delivery = Delivery(exporter, 10)
    for span in spans(*map(str, range(25))):
        delivery.put(span)
    assert (delivery.counts.accepted, delivery.counts.dropped) == (25, 15)
    delivery.close(0.0)
    assert delivery.counts.dropped == 25


def test_the_end_waits_as_long_as_it_is_told_and_no_second_time():
    delivery = Delivery(Stuck(), 10)
    delivery.put(spans("a")[0])
    began = time.monotonic()
    assert not delivery.close(0.2)
    assert not delivery.flush(5.0)
    assert 0.2 <= time.monotonic() - began < 2


def test_nothing_is_delivered_after_the_end():
    exporter = Failing(failures=0)
    delivery = Delivery(exporter, 10)
    delivery.close()
    delivery.put(spans("late")[0])
    assert (exporter.got, delivery.counts.dropped) == ([], 1)


def program(code: str, *, env: dict[str, str]) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Run a program; how long it took beyond its own work, and its result."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True, text=True, env=os.environ | env, timeout=60, check=True,
    )  # fmt: skip
    return float(result.stdout.split()[-1]), result


EXIT = """
    import atexit, time
    begun = []
    atexit.register(lambda: print(time.monotonic() - begun[0]))
    {provider}
    import tokentrace
    tokentrace.instrument()
    with tokentrace.step("last"):
        pass
    begun.append(time.monotonic())
"""
OWN = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
"""


@pytest.mark.parametrize("provider", ["", OWN], ids=["no provider", "the application's provider"])
def test_an_application_ends_within_two_seconds_though_nobody_listens(provider):
    # A port that swallows connections without answering is the slowest kind of dead.
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listening:
        env = {"TOKENTRACE_ENDPOINT": f"http://127.0.0.1:{listening.getsockname()[1]}"}
        waited, result = program(EXIT.format(provider=provider), env=env)
    assert waited < 2.5
    assert "Traceback" not in result.stderr


def test_the_last_spans_of_an_application_arrive_at_its_end(collector):
    program(EXIT.format(provider=OWN), env={"TOKENTRACE_ENDPOINT": collector.endpoint})
    assert [span.name for _, span in collector.spans] == ["last"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_delivers_its_own_spans_and_none_of_its_parents(collector):
    code = """
        import os, time, tokentrace
        tokentrace.instrument()
        with tokentrace.step("parent before"):
            pass
        assert tokentrace.flush(10)
        if (child := os.fork()) == 0:
            with tokentrace.step("child"):
                pass
            assert tokentrace.flush(10)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        with tokentrace.step("parent after"):
            pass
        assert tokentrace.flush(10)
        print(0)
    """
    program(code, env={"TOKENTRACE_ENDPOINT": collector.endpoint})
    assert sorted(span.name for _, span in collector.spans) == ["child", "parent after", "parent before"]
    # Two processes that write to one connection would read each other's answers.
    before, child, after = collector.connections
    assert before == after != child


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_of_multiprocessing_delivers_what_it_has_at_its_end(collector):
    code = """
        import multiprocessing, tokentrace
        def work():
            with tokentrace.step("child"):
                pass
        tokentrace.instrument()
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join()
        print(0)
    """
    program(code, env={"TOKENTRACE_ENDPOINT": collector.endpoint})
    assert [span.name for _, span in collector.spans] == ["child"]


def test_headers_for_another_endpoint_are_not_sent_to_ours(collector, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=theirs,x-tenant=theirs")
    tokentrace.instrument(endpoint=collector.endpoint, headers={"X-Tenant": "ours"})
    with tokentrace.step("s"):
        pass
    tokentrace.uninstrument()
    (request,) = collector.requests
    assert (request.get("authorization"), request["x-tenant"]) == (None, "ours")


def test_nothing_is_patched_or_sent_when_disabled(collector):
    code = """
        import tokentrace, httpx2
        before = httpx2.Client.send
        tokentrace.instrument()
        with tokentrace.step("nothing"):
            pass
        assert httpx2.Client.send is before
        print(0)
    """
    program(code, env={"TOKENTRACE_ENDPOINT": collector.endpoint, "OTEL_SDK_DISABLED": "true"})
    assert collector.spans == []


def test_import_brings_no_vendor_and_no_grpc():
    code = """
        import sys, json, tokentrace
        tokentrace.instrument()
        print(json.dumps(sorted({"openai", "anthropic", "google.genai", "httpx", "httpx2", "grpc"} & set(sys.modules))), 0)
    """
    _, result = program(code, env={"TOKENTRACE_ENDPOINT": "http://127.0.0.1:9"})
    assert json.loads(result.stdout.rpartition(" ")[0]) == []
