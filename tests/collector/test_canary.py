"""Canaries: out of the books where all is well, missed where it is not, and in nobody's figures."""

import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from authority import Authority
from process import until

from tokentrace_collector import assembly
from tokentrace_collector.access import AccessFileError, read
from tokentrace_collector.cli import examination
from tokentrace_collector.cli.remote import Remote
from tokentrace_collector.config import Config, ConfigError
from tokentrace_collector.reports.answers import Filter
from tokentrace_collector.reports.breakdown import Breakdown
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store
from tokentrace_collector.tls import Tls

Start = Callable[..., Collector]


@pytest.fixture
def start(empty_store: Store, tmp_path: Path) -> Iterator[Start]:
    """Starts a collector with canaries, many of them."""
    with ExitStack() as running:

        def make(**settings: Any) -> Collector:
            usual = {"canary_seconds": 300.0, "rollup_seconds": 0.1, "batch_seconds": 0.05}
            where = f"{empty_store.address}&directory={tmp_path}"
            config = Config(store=where, http_port=0, grpc_port=0, api_port=0, **(usual | settings))
            return running.enter_context(assembly.collector(config))

        yield make


def get(collector: Collector, path: str) -> str:
    with urllib.request.urlopen(collector.addresses.api + path, timeout=10) as answer:
        return answer.read().decode()


def figures(collector: Collector) -> dict[str, float]:
    found = re.findall(r"^tokentrace_canary_(\w+) (\S+)$", get(collector, "/metrics"), re.MULTILINE)
    return {name: float(figure) for name, figure in found}


def test_a_canary_that_came_out_of_the_books_is_told_with_its_latency(start: Start):
    collector = start()
    until(lambda: figures(collector)["successes_total"] == 1, 120)
    told = figures(collector)
    assert 0 < told["latency_seconds"] < 300
    assert (told["failures_total"], told["last_success_age_seconds"] < 300) == (0, True)


def test_one_that_does_not_come_out_in_time_is_a_failure_and_the_age_grows_on(start: Start):
    collector = start(canary_seconds=0.3, rollup_seconds=3600)
    until(lambda: figures(collector)["failures_total"] >= 2, 120)
    told = Remote(collector.addresses.api).health()["canary"]
    assert told["trouble"] == "A canary was accepted and did not come out of the books within 0.3 s."
    assert (told["successes_total"], told["last_success_age_seconds"] > 0.5) == (0, True)


def test_one_that_is_not_taken_is_a_failure_and_the_reason_is_told(start: Start):
    collector = start(canary_seconds=0.3, request_bytes=10)
    until(lambda: figures(collector)["failures_total"] >= 1, 120)
    assert (
        Remote(collector.addresses.api).health()["canary"]["trouble"].endswith("answered 413 Request Entity Too Large")
    )


def test_a_collector_that_sends_none_tells_of_none(start: Start):
    collector = start(canary_seconds=None)
    assert (figures(collector), "canary" in Remote(collector.addresses.api).health()) == ({}, False)


def test_no_report_no_total_no_coverage_and_no_export_holds_a_canary(start: Start, empty_store: Store):
    collector = start()
    until(lambda: figures(collector)["successes_total"] == 1, 120)
    books = Remote(collector.addresses.api)
    books.rollup("rebuild")
    export = get(collector, "/v1/focus?since=2026-01-01T00:00:00Z&until=2100-01-01T00:00:00Z")
    assert (books.requests(Filter()), books.costs(Breakdown()), len(export.splitlines())) == ([], [], 1)
    costs = empty_store.query("SELECT DISTINCT tenant FROM call_costs FINAL")
    counts = collector.counters.snapshot()
    assert (costs, counts["calls_unpriced"], counts["spans_unread"]) == ([{"tenant": "tokentrace.canary"}], 0, 0)


def test_canaries_come_in_where_senders_need_a_token_and_over_tls(start: Start, tmp_path: Path):
    authority = Authority(tmp_path)
    access = tmp_path / "access.yaml"
    access.write_text(f"version: 1\ncredentials:\n- {{name: x, tenant: acme, may: [send], token_sha256: {'0' * 64}}}\n")
    collector = start(tls=Tls(*authority.signs("collector")), access=access)
    until(lambda: figures(collector)["successes_total"] == 1, 120)
    assert collector.counters.snapshot()["requests_denied"] == 0


def test_a_canary_cannot_come_in_where_senders_need_a_certificate(tmp_path: Path):
    tls = Tls(tmp_path / "a", tmp_path / "b", tmp_path / "c")
    with pytest.raises(ConfigError, match="no certificate to show"):
        Config(tls=tls, canary_seconds=60)


def test_nobody_can_be_the_tenant_of_canaries(tmp_path: Path):
    with pytest.raises(ConfigError, match="the collector's own"):
        Config(tenant="tokentrace.canary")
    access = tmp_path / "access.yaml"
    access.write_text(
        f"version: 1\ncredentials:\n- {{name: x, tenant: tokentrace.canary, may: [ask], token_sha256: {'0' * 64}}}\n"
    )
    with pytest.raises(AccessFileError, match="the collector's own"):
        read(access)


def test_the_doctor_tells_of_canaries(start: Start, tmp_path: Path):
    collector = start()
    until(lambda: figures(collector)["successes_total"] == 1, 120)
    (found,) = examination._canary(collector.addresses.api)
    assert (found.check, found.state, found.found[:21]) == ("canary", "ok", "came out of the books")


def test_the_doctor_tells_of_canaries_that_fail(start: Start):
    collector = start(canary_seconds=0.3, rollup_seconds=3600)
    until(lambda: figures(collector)["failures_total"] >= 1, 120)
    (found,) = examination._canary(collector.addresses.api)
    assert (found.state, "did not come out" in found.found) == ("failed", True)
