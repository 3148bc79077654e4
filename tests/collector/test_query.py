"""SQL over ClickHouse's HTTP protocol: a running collector, a real socket, and the clients that people have."""

from __future__ import annotations

import gzip
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import pytest
from clickhouse_connect.driver.buffer import ResponseBuffer
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.query import QueryContext
from clickhouse_connect.driver.transform import NativeTransform
from test_access import CREDENTIALS, asked, bearer, call, config, opened, send

from tokentrace_collector import access, assembly
from tokentrace_collector.serve import Collector
from tokentrace_collector.store.database import Store
from tokentrace_collector.store.native import framed

MORE = f"""
  - {{name: chief, may: [ask], token_sha256: {access.digest("sees-all")}}}
  - {{name: small, tenant: acme, may: [ask], token_sha256: {access.digest("small")},
     limits: {{queries: 1, query_seconds: 0.5, query_memory_bytes: 50000000, query_rows: 10}}}}
"""
SLOW = "SELECT sum(cityHash64(number)) FROM numbers(100000000000)"


@pytest.fixture
def collector(empty_store: Store, tmp_path: Path) -> Iterator[Collector]:
    file = tmp_path / "access.yaml"
    file.write_text(CREDENTIALS + MORE)
    with assembly.collector(config(empty_store, tmp_path, access=file)) as running:
        opened(running)
        assert send(running, call("a", "web", 1000), bearer("of-acme")) == 200
        assert send(running, call("b", "mail", 7), bearer("of-globex")) == 200
        running.rollup()
        yield running


def client(running: Collector, token: str = "of-acme", **more: Any) -> Any:
    port = int(running.addresses.api.rpartition(":")[2])
    return clickhouse_connect.get_client(host="127.0.0.1", port=port, username="anybody", password=token, **more)


def query(running: Collector, sql: str, token: str = "of-acme", **parameters: object) -> Any:
    """Status, code and body of an answer, as plain HTTP has them."""
    headers = bearer(token) if token else {}
    path = f"/query?{urlencode(parameters)}"
    status, told, body = asked(running.addresses.api, "POST", path, headers, sql.encode())
    return status, told.get("X-ClickHouse-Exception-Code"), body


def column(running: Collector, sql: str, token: str = "of-acme") -> list[str]:
    status, _, body = query(running, sql, token)
    assert status == 200, body
    return body.decode().splitlines()


@pytest.mark.parametrize("compress", [True, "lz4", "zstd", "gzip", False])
def test_the_driver_asks_as_of_a_server(collector: Collector, compress: bool | str):
    with client(collector, compress=compress) as asking:
        found = asking.query("SELECT tenant, team, input_text FROM llm_calls WHERE team = {team:String}", {"team": "web"})
    assert found.result_rows == [("acme", "web", 1000)]


def test_the_driver_streams_and_reads_types(collector: Collector):
    with client(collector, token="of-globex", database="tokentrace") as asking:
        with asking.query_row_block_stream("SELECT number, toString(number) FROM numbers(200000)") as stream:
            rows = sum(len(block) for block in stream)
        total = asking.query("SELECT sum(visible) FROM tcoai_by_trace FINAL").first_row[0]
    assert (rows, str(total)) == (200000, "0.000008750000000000")


def test_a_path_of_its_own_serves_too(collector: Collector):
    with client(collector, proxy_path="query") as asking:
        assert asking.ping()
        assert asking.command("SELECT count() FROM llm_calls") == 1


def test_each_tenant_has_its_rows_and_who_is_of_none_has_all(collector: Collector, empty_store: Store):
    sql = f"SELECT team FROM {empty_store.address.database}.llm_calls ORDER BY team"
    seen = {token: column(collector, sql, token) for token in ("of-acme", "of-globex", "sees-all")}
    assert seen == {"of-acme": ["web"], "of-globex": ["mail"], "sees-all": ["mail", "web"]}


def test_who_is_of_no_tenant_asks_nothing_else(collector: Collector):
    status, _, body = asked(collector.addresses.api, "GET", "/v1/traces", bearer("sees-all"))
    assert (status, b"is of no tenant" in body) == (403, True)


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("JSONCompactEachRow", b'["web", 1000]\n'),
        ("CSV", b'"web",1000\n'),
        ("TSVWithNames", b"team\tinput_text\nweb\t1000\n"),
        ("JSONEachRow", b'{"team":"web","input_text":1000}\n'),
    ],
)
def test_an_answer_comes_in_the_format_asked_for(collector: Collector, form: str, wanted: bytes):
    sql = "SELECT team, input_text FROM llm_calls"
    named, by_default = query(collector, f"{sql} FORMAT {form};"), query(collector, sql, default_format=form)
    assert named == by_default == (200, None, wanted)


def test_json_tells_nothing_of_the_rows_it_read(collector: Collector):
    document = json.loads(query(collector, "SELECT team FROM llm_calls FORMAT JSON")[2])
    assert (document["data"], document["rows"], "statistics" in document) == ([{"team": "web"}], 1, False)


def test_parameters_are_bound_as_clickhouse_binds_them(collector: Collector):
    sql = "SELECT {text:String}, {many:Array(UInt8)}, {table:Identifier}.team FROM {table:Identifier}"
    given = {"param_text": "a\\tb'", "param_many": "[1,2]", "param_table": "llm_calls"}
    assert query(collector, sql, **given) == (200, None, b"a\\tb\\'\t[1,2]\tweb\n")


@pytest.mark.parametrize(
    ("sql", "status", "code"),
    [
        ("SELECT 1", 403, "516"),
        ("SELEKT 1", 400, "62"),
        ("SELECT 1 FROM nothing_here", 404, "60"),
        ("INSERT INTO llm_calls (team) VALUES ('x')", 500, "164"),
        ("DROP TABLE llm_calls", 500, "164"),
        ("SELECT 1; SELECT 2", 400, "62"),
        ("SELECT 1 SETTINGS max_threads = 64", 500, "164"),
        ("SELECT * FROM (SELECT 1 SETTINGS max_threads = 64)", 500, "164"),
        ("SELECT file('/etc/passwd')", 403, "497"),
        ("SELECT 1 FORMAT Nonsense", 400, "73"),
        ("", 400, "62"),
    ],
)
def test_errors_come_as_clickhouse_gives_them(collector: Collector, sql: str, status: int, code: str):
    answered = query(collector, sql, token="guessed" if code == "516" else "of-acme")
    assert answered[:2] == (status, code)
    assert answered[2].startswith(f"Code: {code}. DB::Exception: ".encode())


def test_who_may_only_send_asks_nothing(collector: Collector):
    assert query(collector, "SELECT 1", token="operates")[:2] == (403, "497")


def test_a_credential_comes_in_each_way_that_clients_know(collector: Collector):
    ways: list[tuple[dict[str, str], str]] = [
        ({"Authorization": "Basic " + b64encode(b"any:of-acme").decode()}, ""),
        ({"X-ClickHouse-User": "any", "X-ClickHouse-Key": "of-acme"}, ""),
        ({}, "&user=any&password=of-acme"),
    ]
    answers = [asked(collector.addresses.api, "GET", f"/query?query=SELECT%201{more}", way)[2] for way, more in ways]
    assert answers == [b"1\n"] * 3


def test_the_driver_hears_why_it_is_not_let_in(collector: Collector):
    with pytest.raises(DatabaseError, match="516"):
        client(collector, token="guessed")


def test_a_ping_needs_no_credential(collector: Collector):
    answers = [asked(collector.addresses.api, "GET", path, {})[2] for path in ("/ping", "/query/ping")]
    assert answers == [b"Ok.\n"] * 2


def test_a_name_of_the_machine_reaches_it_and_a_page_of_others_does_not(collector: Collector):
    """A collector in a container is asked by the name of the container."""
    named = {**bearer("of-acme"), "Host": "collector.example:4319"}
    assert asked(collector.addresses.api, "GET", "/query?query=SELECT%201", named)[0] == 200
    elsewhere = {**named, "Origin": "https://evil.example"}
    assert asked(collector.addresses.api, "GET", "/query?query=SELECT%201", elsewhere)[0] == 403


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        (SLOW, "159"),
        ("SELECT length(groupArray(number)) FROM numbers(100000000)", "241"),
        ("SELECT number FROM numbers(11)", "396"),
    ],
)
def test_a_question_is_held_to_the_limits_of_its_credential(collector: Collector, sql: str, code: str):
    assert query(collector, sql, token="small")[1] == code


def test_a_client_may_lower_a_limit_and_not_raise_it(collector: Collector):
    lowered = query(collector, "SELECT number FROM numbers(11)", max_result_rows=5)
    raised = query(collector, "SELECT number FROM numbers(11) SETTINGS max_result_rows = 1000", token="small")
    assert (lowered[1], raised[1]) == ("396", "396")


def test_a_credential_has_so_many_questions_under_way(collector: Collector):
    """The second comes while the first, which lasts until its limit, is answered."""
    is_asked = threading.Event()
    with ThreadPoolExecutor(1) as pool:

        def first() -> Any:
            is_asked.set()
            return query(collector, SLOW, token="small")

        slow = pool.submit(first)
        assert is_asked.wait(10)
        codes: list[str | None] = []
        while not slow.done():
            codes.append(query(collector, "SELECT 1", token="small")[1])
    assert "202" in codes
    assert query(collector, "SELECT 1", token="small") == (200, None, b"1\n")


def test_spans_are_taken_while_questions_are_answered(collector: Collector):
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(query, collector, f"{SLOW} SETTINGS max_execution_time = 2") for _ in range(4)]
        sent = [send(collector, call("c", "late", 1), bearer("of-acme")) for _ in range(20)]
        stored = collector.flush(30)
        codes = {each.result()[1] for each in slow}
    assert (set(sent), stored, codes) == ({200}, True, {"159"})


def native(running: Collector, sql: str) -> list[tuple[Any, ...]]:
    """What Grafana's data source gets: clickhouse-go over HTTP, in gzip, in the newest revision of Native."""
    asking = {"default_format": "Native", "client_protocol_version": "54483", "database": "default"}
    asking |= {"enable_http_compression": "1", "max_execution_time": "60"}
    headers = {"Accept-Encoding": "gzip", "Authorization": "Basic " + b64encode(b"grafana:of-acme").decode()}
    path = f"/query?{urlencode(asking)}"
    status, told, body = asked(running.addresses.api, "POST", path, headers, sql.encode())
    assert (status, told["Content-Encoding"]) == (200, "gzip"), body
    return unframed(gzip.decompress(body))


def unframed(content: bytes) -> list[tuple[Any, ...]]:
    """The rows of blocks with their info and the mark of each column's serialization."""
    plain = b""
    while content:
        assert content[:8] == b"\x01\x00\x02\xff\xff\xff\xff\x00"
        columns, rows, place = content[8], content[9], 10
        plain += content[8:10]
        for _ in range(columns):
            name = content[place : (place := place + 1 + content[place])]
            kind = content[place : (place := place + 1 + content[place])]
            assert content[place] == 0
            head = bytes([1, rows]) + name + kind
            source = ResponseBuffer(Source(head + content[place + 1 :]))
            NativeTransform.parse_response(Source.first(source, head), QueryContext())
            size = source.buf_loc
            plain += name + kind + content[place + 1 : place + 1 + size]
            place += 1 + size
        content = content[place:]
    return list(NativeTransform.parse_response(ResponseBuffer(Source(plain))).result_rows)
