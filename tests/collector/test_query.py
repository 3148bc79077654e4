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
from clickhouse_connect.driver import ctypes
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.query import QueryContext
from clickhouse_connect.driver.transform import NativeTransform
from test_access import CREDENTIALS, asked, bearer, call, config, opened, send

from tokentrace_collector import access, assembly
from tokentrace_collector.config import Config
from tokentrace_collector.serve import Collector
from tokentrace_collector.sql.native import framed
from tokentrace_collector.store.database import Store

MORE = f"""
  - {{name: third, tenant: third, may: [send], token_sha256: {access.digest("of-a-third")}}}
  - {{name: chief, may: [ask], token_sha256: {access.digest("sees-all")}}}
  - {{name: small, tenant: acme, may: [ask], token_sha256: {access.digest("small")},
     limits: {{queries: 1, query_seconds: 2, query_memory_bytes: 50000000, query_rows: 10}}}}
"""
SLOW = "SELECT sum(cityHash64(number)) FROM numbers(100000000000)"


@pytest.fixture(scope="module")
def home(engine: Path) -> Iterator[Store]:
    """The database of the collector, which is one for all tests here: they only ask."""
    opened = Store.open(f"chdb://{engine}?database=asked")
    yield opened
    opened.drop_database()
    opened.close()


@pytest.fixture(scope="module")
def collector(home: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    directory = tmp_path_factory.mktemp("collector")
    file = directory / "access.yaml"
    file.write_text(CREDENTIALS + MORE)
    with assembly.collector(config(home, directory, access=file)) as running:
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
        found = asking.query(
            "SELECT tenant, team, tokens['input_text'] FROM llm_calls WHERE team = {team:String}", {"team": "web"}
        )
    assert found.result_rows == [("acme", "web", 1000)]


def test_the_driver_streams_and_reads_types(collector: Collector, home: Store):
    with client(collector, token="of-globex", database=home.address.database) as asking:
        with asking.query_row_block_stream("SELECT number, toString(number) FROM numbers(200000)") as stream:
            rows = sum(len(block) for block in stream)
        total = asking.query("SELECT sum(visible) FROM tcoai_by_trace FINAL").first_row[0]
    assert (rows, str(total)) == (200000, "0.000008750000000000")


def test_a_path_of_its_own_serves_too(collector: Collector):
    with client(collector, proxy_path="query") as asking:
        assert asking.ping()
        assert asking.command("SELECT count() FROM llm_calls") == 1


def test_each_tenant_has_its_rows_and_who_is_of_none_has_all(collector: Collector, home: Store):
    sql = f"SELECT team FROM {home.address.database}.llm_calls ORDER BY team"
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
    sql = "SELECT team, tokens['input_text'] AS input_text FROM llm_calls"
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
        ("SELECT FROM WHERE", 400, "62"),
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
    # Whichever of them came first.
    assert "202" in {*codes, slow.result()[1]}
    assert query(collector, "SELECT 1", token="small") == (200, None, b"1\n")


def test_spans_are_taken_while_questions_are_answered(collector: Collector):
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(query, collector, f"{SLOW} SETTINGS max_execution_time = 2") for _ in range(4)]
        sent = [send(collector, call("c", "late", 1), bearer("of-a-third")) for _ in range(20)]
        stored = collector.flush(30)
        codes = {each.result()[1] for each in slow}
    assert (set(sent), stored, codes) == ({200}, True, {"159"})


def native(running: Collector, sql: str) -> bytes:
    """What Grafana's data source gets: clickhouse-go over HTTP, in gzip, in the newest revision of Native."""
    asking = {"default_format": "Native", "client_protocol_version": "54483", "database": "default"}
    asking |= {"enable_http_compression": "1", "max_execution_time": "60"}
    headers = {"Accept-Encoding": "gzip", "Authorization": "Basic " + b64encode(b"grafana:of-acme").decode()}
    path = f"/query?{urlencode(asking)}"
    status, told, body = asked(running.addresses.api, "POST", path, headers, sql.encode())
    assert (status, told["Content-Encoding"]) == (200, "gzip"), body
    return gzip.decompress(body)


def text(value: str) -> bytes:
    """A string as Native writes it, up to 127 bytes."""
    return bytes([len(value.encode())]) + value.encode()


def block(*columns: tuple[str, str, bytes]) -> bytes:
    """A block of one row in the newest revision: its info, and a mark before the data of each column."""
    data = b"".join(text(name) + text(kind) + b"\x00" + value for name, kind, value in columns)
    return b"\x01\x00\x02\xff\xff\xff\xff\x00" + bytes([len(columns), 1]) + data


def test_grafana_finds_its_data_source_well(collector: Collector):
    """What its plugin asks when a connection is made and when it is saved: clickhouse-go's hello and ping, the version."""
    said = column(collector, "SELECT displayName(), version(), revision(), timezone()")[0].split("\t")
    names = ("displayName()", "version()", "revision()", "timezone()")
    kinds = ("String", "String", "UInt32", "String")
    values = (text(said[0]), text(said[1]), int(said[2]).to_bytes(4, "little"), text(said[3]))
    assert native(collector, "SELECT displayName(), version(), revision(), timezone()") == block(
        *zip(names, kinds, values, strict=True)
    )
    assert native(collector, "SELECT 1") == block(("1", "UInt8", b"\x01"))
    assert native(collector, "SELECT version()") == block(("version()", "String", text(said[1])))
    readonly = "SELECT value FROM system.settings WHERE name='readonly'"
    assert native(collector, readonly) == block(("value", "String", text("1")))


def test_grafana_lists_tables_and_columns(collector: Collector, home: Store):
    """The statements of its query builder and of its list of tables."""
    named = column(collector, "SHOW DATABASES")
    place = home.address.database
    rows = [
        line.split("\t")
        for line in column(collector, "SELECT database, name FROM system.tables ORDER BY database, name")
    ]
    assert {database for database, _ in rows} == set(named)
    assert (
        [name for _, name in rows]
        == column(collector, f"SHOW TABLES FROM {named[0]}")
        == column(collector, "SHOW TABLES")
    )
    asking = (
        "SELECT database, table, name, type, comment FROM system.columns WHERE (database = currentDatabase() AND table IN "
        "('tcoai_by_trace')) ORDER BY database, table, position"
    )
    columns = [line.split("\t")[2] for line in column(collector, asking)]
    described = column(collector, f'DESCRIBE TABLE "{place}"."tcoai_by_trace"')
    assert columns == [line.split("\t")[0] for line in described]
    assert column(collector, f"SELECT DISTINCT team FROM {place}.llm_calls SETTINGS max_execution_time=10") == ["web"]


TYPES = """
SELECT
    number, toString(number) AS text, toDecimal128(number, 18) AS amount, toDate('2026-01-01') + number AS day,
    toDateTime('2026-01-01', 'UTC') + number AS hour, now64(9) AS moment, toLowCardinality(toString(number % 3)) AS word,
    [toLowCardinality('a'), toString(number)] AS words, map('k', number) AS counts, if(number % 2, NULL, number) AS perhaps,
    (number, 'x') AS pair, [(number, 'x')] AS pairs, toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS uuid,
    toIPv4('127.0.0.1') AS address, toIPv6('::1') AS wide, CAST('b' AS Enum8('a' = 1, 'b' = 2)) AS kind, true AS flag,
    toFixedString('ab', 2) AS fixed, [[toDateTime64('2026-01-01', 3)]] AS nested, toFloat64(number) AS ratio
FROM numbers(70000)
"""


def test_blocks_of_all_types_are_framed(collector: Collector):
    """The driver, which skips the info of a block, reads the same after it, whatever a column is of."""
    with client(collector) as asking:
        plain = asking.raw_query(TYPES, fmt="Native", settings={"client_protocol_version": "0"})
    old = NativeTransform.parse_response(_source(plain), QueryContext())
    context = QueryContext()
    context.block_info = True
    new = NativeTransform.parse_response(_source(framed(plain, 54_405)), context)
    assert (new.result_rows == old.result_rows, len(old.result_rows)) == (True, 70_000)
    blocks = (len(framed(plain, 54_405)) - len(plain)) // 8
    assert blocks > 1
    assert len(framed(plain, 54_483)) == len(plain) + 8 * blocks + len(old.column_names) * blocks


class _Chunks:
    def __init__(self, content: bytes) -> None:
        self.gen = iter((content,))

    def close(self) -> None:
        pass


def _source(content: bytes) -> Any:
    return ctypes.RespBuffCls(_Chunks(content))


def test_what_is_in_a_server_is_asked_of_the_server(tmp_path: Path, server: Any, store: Store):
    address = f"{server.address}/{store.address.database}?directory={tmp_path}"
    settings = Config(store=address, http_port=0, grpc_port=0, api_port=0, rollup_seconds=3600)
    with assembly.collector(settings) as running:
        opened(running)
        status, code, body = query(running, "SELECT 1", token="")
    assert (status, code) == (501, "48")
    assert b"ask that one" in body
