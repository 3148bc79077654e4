"""Raw spans read again: what a crash left in the raw table alone becomes a call, once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tokentrace_collector.ingest.renormalise import renormalise

NOW = datetime.now(UTC)


def test_calls_that_were_lost_come_back_and_are_rolled_up(ledger):
    """Every other table follows from the raw one."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.arrive()
    for table in ("llm_calls", "touched_traces"):
        ledger.store.run(f"TRUNCATE TABLE {table}")
    renormalise(ledger.store, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    ledger.tick()
    assert ledger.trace("t")["total"] == Decimal("0.002")


def test_reading_again_doubles_nothing(ledger):
    """What was there stays as it was."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.tick()
    renormalise(ledger.store, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    ledger.tick()
    assert (ledger.trace("t")["total"], ledger.trace("t")["calls"]) == (Decimal("0.002"), 1)


def test_outcomes_that_were_lost_come_back_too(ledger):
    """They are read from raw spans as calls are."""
    ledger.span("t", "o", said={"tokentrace.outcome.status": "success", "tokentrace.report": "outcome"})
    ledger.arrive()
    ledger.store.run("TRUNCATE TABLE outcomes")
    renormalise(ledger.store, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert ledger.store.query("SELECT status FROM outcomes FINAL") == [{"status": "success"}]


def test_only_the_range_is_read(ledger):
    """By the time of arrival."""
    ledger.call("t", "a", tokens={"input_text": 1_000})
    ledger.arrive()
    ledger.store.run("TRUNCATE TABLE llm_calls")
    renormalise(ledger.store, NOW - timedelta(days=2), NOW - timedelta(days=1))
    assert ledger.store.query("SELECT count() AS calls FROM llm_calls") == [{"calls": 0}]
