import datetime as dt
from decimal import Decimal

import pytest

from tokentrace_collector.store.database import Store, StoreError


def test_values_are_bound_by_the_server(store: Store):
    hostile = "'; DROP TABLE otel_traces; -- {x:String} %s \\ \0"
    assert store.query("SELECT {value:String} AS value", value=hostile) == [{"value": hostile}]


def test_times_are_aware_and_money_is_decimal(store: Store):
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)
    rows = store.query("SELECT {at:DateTime64(6)} AS at, toDecimal128('0.1', 18) AS cost", at=moment)
    assert rows == [{"at": moment, "cost": Decimal("0.1")}]


def test_values_without_a_place_to_bind_are_refused(store: Store):
    with pytest.raises(StoreError, match="binds no"):
        store.query("SELECT %(value)s", value=1)


def test_an_error_keeps_the_code_of_the_database(store: Store):
    with pytest.raises(StoreError) as raised:
        store.query("SELECT * FROM missing")
    assert (raised.value.code, raised.value.is_transient) == (60, False)


def test_the_same_token_inserts_once(store: Store):
    for _ in range(2):
        store.insert("otel_traces", ["TraceId", "SpanId"], [["aa"], ["bb"]], token="one")
    assert store.query("SELECT TraceId, SpanId, Tenant FROM otel_traces") == [
        {"TraceId": "aa", "SpanId": "bb", "Tenant": "default"}
    ]


@pytest.mark.parametrize("into", ["told", "told (said)", "told (* EXCEPT (other))"])
def test_a_setting_is_of_one_statement(store: Store, into):
    """Whatever it says."""
    store.run("CREATE TABLE told (said String, other String) ENGINE = Memory")
    said, more = "it's \\ 'one'; \n-- two", ", ''" if into == "told" else ""
    store.run(f"-- A row.\nINSERT INTO {into}\nSELECT getSetting('log_comment'){more}", settings={"log_comment": said})
    store.run(f"INSERT INTO {into} SELECT getSetting('log_comment'){more}")
    assert store.query("SELECT said FROM told ORDER BY said") == [{"said": ""}, {"said": said}]


def test_a_sibling_sees_the_same_database(store: Store):
    sibling = store.sibling()
    store.insert("otel_traces", ["TraceId"], [["aa"]])
    assert sibling.query("SELECT TraceId FROM otel_traces") == [{"TraceId": "aa"}]
    sibling.close()


def test_a_store_does_not_follow_a_fork(store: Store, monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: -1)  # What a forked child would see; in a real one the engine would hang.
    with pytest.raises(StoreError, match="opened before a fork"):
        store.query("SELECT 1")


def test_a_second_path_in_one_process_is_refused(store: Store, tmp_path):
    with pytest.raises(StoreError, match="already initialized"):
        Store.open(f"chdb://{tmp_path}")
