"""SQL of a tenant is answered from its own rows, whatever it says."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tokentrace_collector.access import Grant
from tokentrace_collector.allowance import Allowance
from tokentrace_collector.sql.asking import Question, Questions
from tokentrace_collector.sql.errors import QuestionError
from tokentrace_collector.sql.scopes import Scopes
from tokentrace_collector.store.reading import Reader

SECRET = "zanzibar"
"""What only the other tenant says."""
ALLOWANCE = Allowance(
    queries=8, query_seconds=60, query_memory_bytes=1 << 30, query_rows=100_000, query_result_bytes=1 << 26
)


_OF_THE_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\b|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""When rows came, and names that the engine gives by chance."""


class Place(NamedTuple):
    """A database with rows of one tenant or of two, and what answers SQL about it."""

    database: str
    questions: Questions

    def asked(self, sql: str, tenant: str = "acme", **more: object) -> str:
        """The whole answer as text, an error by its code and message."""
        try:
            answer = self.questions.answer(Grant("reader", tenant), Question(sql, **more))  # type: ignore[arg-type]
        except QuestionError as error:
            said = f"{error.code} {error}"
        else:
            said = f"{answer.result.rows} {answer.result.content.decode('utf-8', 'replace')}"
        return _OF_THE_MOMENT.sub("", said.replace(self.database, "HOME"))


class Places(NamedTuple):
    both: Place
    alone: Place


def tell(ledger: Any, tenant: str, word: str, tokens: int) -> None:
    """Requests of a tenant, with the same trace ids as another's."""
    for number in range(6):
        ledger.call(
            f"{number:032x}", "1" * 16, at=number, tenant=tenant, tokens={"input_text": tokens + number, "output_text": 5},
            said={"tokentrace.attribution.team": f"{word}-{number % 2}", "tokentrace.attribution.customer": word},
        )  # fmt: skip
        ledger.review(f"{number:032x}", "2" * 16, "1" * 16, active=30, by=word, at=number, tenant=tenant)


@pytest.fixture(scope="module")
def places(fresh_ledger: Callable[[], Any]) -> Iterator[Places]:
    with ExitStack() as closings:
        made: list[Place] = []
        for others in (True, False):
            ledger = fresh_ledger()
            tell(ledger, "acme", "own", 100)
            if others:
                tell(ledger, "globex", SECRET, 7_000)
                tell(ledger, "umbrella", SECRET, 9_000)
            ledger.tick()
            reader = Reader(ledger.store.address)
            scopes = Scopes(ledger.store, reader)
            closings.callback(scopes.close)
            made.append(Place(ledger.store.address.database, Questions(reader, scopes, ALLOWANCE)))
        made[0].asked("SELECT 1", "globex")  # Its views are there, too.
        yield Places(*made)


def globex(place: Place) -> str:
    """The database of the other tenant, whose name an attacker may have learnt: it tells it to its own."""
    return f"{place.database}_of_{hashlib.sha256(b'globex').hexdigest()[:32]}"


ATTACKS = [
    "SELECT * FROM {home}.call_costs",
    "SELECT * FROM `{home}`.`call_costs`",
    'SELECT * FROM "{home}"."call_costs"',
    "SELECT * FROM {home} . call_costs",
    "SELECT * FROM {home}/**/./**/call_costs",
    "SELECT * FROM {home}.-- x\ncall_costs",
    "SELECT * FROM {other}.call_costs",
    "SELECT * FROM `{other}`.call_costs",
    "SELECT * FROM (SELECT * FROM {other}.llm_calls)",
    "WITH x AS (SELECT * FROM {other}.llm_calls) SELECT * FROM x",
    "WITH call_costs AS (SELECT * FROM {other}.llm_calls) SELECT * FROM call_costs",
    "SELECT * FROM llm_calls AS own JOIN {other}.llm_calls AS theirs USING (trace_id)",
    "SELECT * FROM llm_calls AS own, {other}.llm_calls AS theirs",
    "SELECT 1 UNION ALL SELECT count() FROM {other}.llm_calls",
    "SELECT 1 INTERSECT SELECT 1 FROM {other}.llm_calls",
    "SELECT (SELECT count() FROM {other}.llm_calls)",
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM {other}.llm_calls)",
    "SELECT 'zanzibar-1' IN {other}.llm_calls",
    "SELECT count() FROM llm_calls WHERE trace_id IN ({other}.trace_extents)",
    "SELECT count() FROM llm_calls WHERE trace_id GLOBAL NOT IN {other}.trace_extents",
    "SELECT in(1, {other}.llm_calls)",
    "SELECT * FROM {{t:Identifier}}.llm_calls",
    "SELECT * FROM otel_traces WHERE Tenant = 'globex'",
    "SELECT * FROM otel_traces WHERE Tenant != 'acme' OR 1",
    "SELECT * FROM llm_calls WHERE tenant = 'globex' OR tenant LIKE '%'",
    "SELECT * FROM llm_calls PREWHERE throwIf(tenant != 'acme') = 0",
    "SELECT count() FROM llm_calls WHERE throwIf(team LIKE 'zanzi%') = 0",
    "SELECT count() FROM llm_calls FINAL WHERE throwIf(tokens['input_text'] > 1000) = 0",
    "SELECT count() FROM llm_calls WHERE throwIf(tenant != 'acme') = 0 AND tenant = tenant",
    "SELECT count() FROM cost_lines WHERE throwIf(tenant != 'acme') = 0",
    "SELECT count() FROM work_units WHERE throwIf(tenant != 'acme') = 0",
    "SELECT max(intDiv(1, if(tenant = 'globex', 0, 1))) FROM llm_calls",
    "SELECT * FROM merge('.*', '.*')",
    "SELECT * FROM merge('{other}', '.*')",
    "SELECT * FROM merge(REGEXP('.*'), 'llm_calls')",
    "SELECT * FROM merge('llm_calls')",
    "SELECT * FROM loop({other}.llm_calls) LIMIT 5",
    "SELECT * FROM loop('{other}', 'llm_calls') LIMIT 5",
    "SELECT * FROM remote('127.0.0.1', {other}.llm_calls)",
    "SELECT * FROM remoteSecure('127.0.0.1', '{other}', 'llm_calls')",
    "SELECT * FROM cluster('default', {other}.llm_calls)",
    "SELECT * FROM clusterAllReplicas('default', {other}, llm_calls)",
    "SELECT * FROM view(SELECT * FROM {other}.llm_calls)",
    "SELECT * FROM viewIfPermitted(SELECT * FROM {other}.llm_calls ELSE null('x Int8'))",
    "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM {other}.llm_calls))",
    "SELECT * FROM (EXPLAIN SELECT * FROM llm_calls)",
    "SELECT * FROM mergeTreeIndex({home}, llm_calls)",
    "SELECT * FROM mergeTreeProjection({home}, llm_calls, x)",
    "SELECT * FROM mergeTreeAnalyzeIndexes({home}, llm_calls)",
    "SELECT * FROM dictionary('{other}.x')",
    "SELECT * FROM executable('cat', 'TSV', 'x String')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    "SELECT FILE('/etc/passwd')",
    "SELECT arrayMap(x -> file(x), ['/etc/passwd'])",
    "SELECT * APPLY(file) FROM (SELECT '/etc/passwd' AS x)",
    "SELECT COLUMNS('x') APPLY(x -> file(x)) FROM (SELECT '/etc/passwd' AS x)",
    "SELECT * REPLACE (file(x) AS x) FROM (SELECT '/etc/passwd' AS x)",
    "SELECT 1 ORDER BY 1 WITH FILL FROM 1 TO length(file('/etc/passwd'))",
    "SELECT sum(1) OVER (PARTITION BY file('/etc/passwd'))",
    "SELECT 1 FROM llm_calls WINDOW w AS (PARTITION BY file('/etc/passwd'))",
    "SELECT 1 QUALIFY file('/etc/passwd') != ''",
    "SELECT 1 LIMIT length(file('/etc/passwd'))",
    "SELECT * FROM url('http://127.0.0.1:1/', 'TSV', 'x String')",
    "SELECT * FROM s3('http://127.0.0.1:1/x', 'TSV', 'x String')",
    "SELECT * FROM sqlite('/tmp/x', 'y')",
    "SELECT joinGet('{other}.llm_calls', 'team', 'x')",
    "SELECT dictGet('{other}.x', 'y', 1)",
    "SELECT hasColumnInTable('{other}', 'llm_calls', 'team')",
    "SELECT getSetting('additional_table_filters')",
    "SELECT getServerSetting('path')",
    "SELECT getMacro('x')",
    "SELECT filesystemAvailable()",
    "SELECT sleep(1)",
    "SELECT sleepEachRow(0.1) FROM llm_calls",
    "SELECT addressToLine(1)",
    "SELECT aiGenerate('x', 'y')",
    "SELECT * FROM system.tables",
    "SELECT * FROM `system`.`tables`",
    "SELECT * FROM system.columns",
    "SELECT * FROM system.databases",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.parts_columns",
    "SELECT * FROM system.processes",
    "SELECT * FROM system.query_log",
    "SELECT * FROM system.metrics",
    "SELECT * FROM system.disks",
    "SELECT * FROM system.data_skipping_indices",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT * FROM information_schema.columns",
    "SELECT 'x' IN system.tables",
    "SHOW TABLES",
    "SHOW DATABASES",
    "SHOW TABLES FROM {other}",
    "SHOW TABLES FROM system",
    "SHOW CREATE TABLE {home}.llm_calls",
    "SHOW CREATE TABLE llm_calls",
    "SHOW PROCESSLIST",
    "SHOW INDEX FROM llm_calls",
    "DESCRIBE TABLE {other}.llm_calls",
    "DESCRIBE (SELECT file('/etc/passwd'))",
    "DESCRIBE TABLE llm_calls SETTINGS max_threads=3",
    "EXISTS TABLE {other}.llm_calls",
    "EXPLAIN SELECT * FROM llm_calls",
    "EXPLAIN ESTIMATE SELECT * FROM llm_calls",
    "EXPLAIN indexes = 1 SELECT * FROM llm_calls",
    "EXPLAIN QUERY TREE SELECT (SELECT count() FROM {other}.llm_calls)",
    "EXPLAIN PLAN SELECT * FROM {other}.llm_calls",
    "SELECT count() FROM llm_calls SETTINGS additional_table_filters = {{}}",
    "SELECT * FROM (SELECT * FROM llm_calls SETTINGS additional_table_filters = {{}})",
    "SELECT * FROM (SELECT * FROM llm_calls SETTINGS query_plan_enable_optimizations = 1)",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT * FROM llm_calls SETTINGS analyzer_inline_views = 1, max_threads = 1",
    "SELECT count() FROM llm_calls SAMPLE 1 / 2",
    "SELECT 1 INTO OUTFILE '/tmp/tokentrace-stolen'",
    "SELECT 1; SELECT * FROM {other}.llm_calls",
    "SELECT 1) UNION ALL SELECT * FROM ({other}.llm_calls",
    "SELECT 1 /* */ ; DROP TABLE {home}.llm_calls",
    "SELECT * FROM `llm_calls\n      TableIdentifier x`",
    "SELECT 1 AS `x\n    Literal 1 (children 9)` FROM {other}.llm_calls",
    "SELECT 1 FROM `{other}.llm_calls`",
    "SELECT 1 FROM `x (alias y).llm_calls`",
    "SELECT $$ x $$ FROM {other}.llm_calls",
    "SELECT 1 FROM {other}.llm_calls FORMAT JSON",
    "FROM {other}.llm_calls SELECT *",
    "FROM {other}.llm_calls |> SELECT *",
    "SELECT total_rows FROM system.tables WHERE database = '{home}'",
    "SELECT * FROM llm_calls_mv",
    "SELECT * FROM touched_traces",
    "SELECT * FROM taken_traces",
    "SELECT * FROM rollup_spans",
    "SELECT * FROM rollup_state",
    "SELECT * FROM charges",
    "SELECT * FROM corrected_hours",
    "SELECT * FROM booked_lines",
    "SELECT * FROM commitment_periods",
    "SELECT count() FROM charges WHERE throwIf(tenant != 'acme') = 0",
    "SELECT * FROM system_tables WHERE database != currentDatabase()",
    "USE {other}",
    "SET readonly = 0",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "INSERT INTO llm_calls SELECT * FROM {other}.llm_calls",
    "CREATE VIEW x AS SELECT * FROM {other}.llm_calls",
    "DROP VIEW llm_calls",
    "ALTER TABLE {home}.llm_calls DELETE WHERE 1",
    "BACKUP TABLE {home}.llm_calls TO Memory('x')",
    "GRANT ALL ON *.* TO default",
    "CHECK TABLE {home}.llm_calls",
    "SELECT _part, _table FROM llm_calls",
    "SELECT * FROM system.one JOIN {other}.llm_calls ON 1",
    "SELECT arrayJoin(groupArray(team)) FROM {other}.llm_calls",
]


@pytest.mark.parametrize("sql", ATTACKS)
def test_an_attack_tells_nothing_of_others(places: Places, sql: str):
    """Neither by what it answers nor by whether: without the others the answer is the same, to the letter."""
    answers = [
        place.asked(sql.format(home=place.database, other=globex(place)), parameters={"t": globex(place)})
        for place in places
    ]
    assert answers[0] == answers[1]
    assert SECRET not in answers[0].replace(sql, "")
    assert "root:" not in answers[0]


@pytest.mark.parametrize(
    "table", ["otel_traces", "llm_calls", "call_costs", "tcoai_by_trace", "tcoai_by_hour", "reviews"]
)
def test_who_is_of_no_tenant_sees_what_the_others_must_not(places: Places, table: str):
    """Else there would be nothing to find above."""
    sql = f"SELECT * FROM {table}"
    assert SECRET in places.both.asked(sql, tenant="")
    assert globex(places.both) in places.both.asked("SHOW DATABASES", tenant="").replace("HOME", places.both.database)
    assert SECRET in places.both.asked(sql, tenant="globex")
    assert "own" in places.both.asked(sql)
    assert SECRET not in places.both.asked(sql)


def test_no_file_was_written():
    assert not Path("/tmp/tokentrace-stolen").exists()


COLUMNS = st.sampled_from(["team", "customer", "trace_id", "tenant", "hour", "provider"])
TABLES = st.sampled_from(["call_costs", "cost_lines", "call_units", "tcoai_by_hour", "unknown_usage"])
CONDITIONS = st.sampled_from([
    "throwIf(tenant != 'acme') = 0", f"throwIf(startsWith(team, '{SECRET}')) = 0", "1", "tenant > 'b'", "tenant = 'globex' OR 1",
    f"intDiv(1, if(customer = '{SECRET}', 0, 1)) = 1", "toUInt8OrZero(team) = 0", "length(team) > 3", "customer LIKE '%z%'",
    f"toUInt8(if(customer = '{SECRET}', 'x', '1')) = 1", "trace_id IN (SELECT trace_id FROM otel_names)",
    "rand() >= 0", "hour = (SELECT max(hour) FROM call_costs)", "team IN (SELECT team FROM call_costs WHERE tenant != 'acme')",
])  # fmt: skip
AGGREGATES = st.sampled_from(
    ["count()", "uniqExact(tenant)", "arraySort(groupUniqArray(team))", "max(customer)", "min(tenant)", "any(tenant)"]
)


@st.composite
def selects(draw: st.DrawFn, depth: int = 2) -> str:
    """A SELECT of the columns above, over a table or another one."""
    inner = draw(st.booleans()) and depth > 0
    source = f"({draw(selects(depth=depth - 1))})" if inner else draw(TABLES)
    sql = f"SELECT tenant, team, customer, trace_id, hour, provider FROM {_whole(source)} AS x WHERE {draw(CONDITIONS)}"
    shape = draw(st.sampled_from(["", "", "join", "union", "limit", "distinct", "cte"]))
    if shape == "join" and depth > 0:
        how = draw(st.sampled_from(["INNER", "LEFT", "ANTI LEFT", "SEMI LEFT", "FULL"]))
        other = draw(selects(depth=0))
        return (
            f"SELECT x.tenant AS tenant, y.team AS team, x.customer AS customer, x.trace_id AS trace_id, y.hour AS hour, "
            f"y.provider AS provider FROM ({sql}) AS x {how} JOIN ({other}) AS y ON x.trace_id = y.trace_id"
        )
    if shape == "union":
        return f"{sql} UNION ALL {draw(selects(depth=0))}"
    if shape == "limit":
        return f"{sql} ORDER BY ALL LIMIT {draw(st.integers(0, 9))}"
    if shape == "distinct":
        return sql.replace("SELECT", "SELECT DISTINCT", 1)
    if shape == "cte":
        return f"WITH y AS ({sql}) SELECT tenant, team, customer, trace_id, hour, provider FROM y"
    return sql


def _whole(source: str) -> str:
    """A table with the columns that it may lack."""
    if source.startswith("("):
        return source
    missing = {"tcoai_by_hour": ", '' AS trace_id, '' AS customer"}.get(source, "")
    return f"(SELECT *{missing} FROM {source})"


@st.composite
def questions(draw: st.DrawFn) -> str:
    """A question whose answer has an order."""
    inner = draw(selects()).replace("otel_names", "call_costs")
    group = draw(COLUMNS)
    return f"SELECT {group}, {draw(AGGREGATES)} AS found FROM ({inner}) GROUP BY {group} HAVING {draw(CONDITIONS_OF_GROUPS)} ORDER BY ALL"


CONDITIONS_OF_GROUPS = st.sampled_from(["1", "count() > 0", "throwIf(count() > 1000) = 0", "uniqExact(tenant) = 1"])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(sql=questions())
def test_no_row_of_others_has_a_part_in_an_answer(places: Places, sql: str):
    assert places.both.asked(sql) == places.alone.asked(sql)
