"""The query API: questions it understands, questions it does not, and pages it does not talk to."""

import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tokentrace_collector.access import Everybody
from tokentrace_collector.api import application as api
from tokentrace_collector.reports import footprint

BEGAN = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
TRACE = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def rebuilt():
    return []


@pytest.fixture
def client(store, rebuilt):
    def rollup(what):
        rebuilt.append(what)
        return {"traces": 3, "seconds": 0.5, "unpriced": 0, "unread": 0, "late": 0, "undecided": 0, "verified": None}

    names = [
        "tenant",
        "day",
        "trace_id",
        "started_at",
        "ended_at",
        "root_name",
        "currency",
        "total",
        "version",
        "is_deleted",
    ]
    row = ["default", BEGAN.date(), TRACE, BEGAN, BEGAN, "brief", "USD", Decimal("1.5"), 1, 0]
    store.insert("tcoai_by_trace", names, [[value] for value in row])
    more = [Route("/healthz", lambda _: PlainTextResponse("ok"))]
    application = api.application(store, rollup, Everybody("default"), more=more, hosts=["books.example"])
    with TestClient(application, base_url="http://127.0.0.1:4319") as client:
        yield client


def test_requests_are_listed(client):
    assert [each["total"] for each in client.get("/v1/traces").json()["traces"]] == ["1.5"]


def test_a_request_is_found_by_the_beginning_of_its_id(client):
    assert client.get(f"/v1/traces/{TRACE[:6].upper()}").json()["trace_id"] == TRACE


def test_the_latest_request_has_a_name(client):
    assert client.get("/v1/traces/latest").json()["trace_id"] == TRACE


def test_an_unknown_request_is_not_found(client):
    answer = client.get("/v1/traces/ffff")
    assert (answer.status_code, "ffff" in answer.json()["error"]) == (404, True)


def test_prices_are_listed(client):
    assert client.get("/v1/prices", params={"provider": "nobody"}).json() == {"prices": []}


def test_costs_are_divided_as_asked(client):
    assert client.get("/v1/costs", params=[("by", "team"), ("by", "model"), ("per", "day"), ("team", "x")]).json() == {
        "costs": []
    }


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"by": "colour"}, "colour"),
        ({"shape": "round"}, "shape"),
        ({"limit": "x"}, "limit"),
        ({"zone": "Mars"}, "Mars"),
    ],
)
def test_costs_that_cannot_be_divided_so_are_refused_by_name(client, asked, named):
    answer = client.get("/v1/costs", params=asked)
    assert (answer.status_code, named in answer.json()["error"]) == (400, True)


def test_capacity_and_commitments_are_told(client):
    asked = {"per": "month", "since": "2026-11-20", "until": "2026-11-21"}
    found = [client.get(f"/v1/{what}", params=asked).json() for what in ("capacity", "commitments", "payments")]
    assert found == [{"capacity": []}, {"commitments": []}, {"payments": []}]


def test_outcomes_are_told(client):
    asked = {"by": ["team", "model"], "until": "2026-11-20", "mature": "0", "fallback_cost": "4.50"}
    assert client.get("/v1/outcomes", params=asked).json() == {"outcomes": []}
    (found,) = client.get("/v1/outcomes", params={"by": "team"}).json()["outcomes"]
    assert (found["group"], found["everything"]["pieces"]["all"]) == ({"team": ""}, 1)


def test_energy_is_told_and_is_not_implemented_without_its_library(client, monkeypatch):
    assert client.get("/v1/energy", params={"per": "day", "zone": "WOR"}).json() == {"energy": []}
    monkeypatch.setitem(sys.modules, "ecologits", None)
    footprint._modules.cache_clear()
    answer = client.get("/v1/energy")
    assert (answer.status_code, "tokentrace[energy]" in answer.json()["error"]) == (501, True)


def test_agents_and_the_pricing_of_a_period_are_told(client):
    assert client.get("/v1/agents", params={"since": "2026-11-20", "limit": "5"}).json() == {"agents": []}
    found = client.get("/v1/prices/findings", params={"since": "2026-11-20"}).json()
    assert (found["models"], found["changes"], found["tokens"]) == ([], [], 0)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ("/v1/agents?shape=round", "shape"),
        ("/v1/agents?limit=x", "limit"),
        ("/v1/agents?since=x", "since"),
        ("/v1/capacity?per=week", "week"),
        ("/v1/capacity?until=x", "until"),
        ("/v1/capacity?pool=h", "pool"),
        ("/v1/energy?zone=EU", "ABW"),
        ("/v1/outcomes?per=week", "week"),
        ("/v1/outcomes?by=colour", "colour"),
        ("/v1/outcomes?shape=round", "shape"),
        ("/v1/outcomes?mature=-1", "mature"),
        ("/v1/outcomes?mature=3651", "3651"),
        ("/v1/outcomes?fallback_cost=-1", "-1"),
        ("/v1/outcomes?fallback_cost=x", "fallback_cost"),
        ("/v1/commitments?per=week", "week"),
        ("/v1/commitments?shape=round", "shape"),
        ("/v1/payments?per=day", "day"),
        ("/v1/prices/findings", "since"),
        ("/v1/prices/findings?since=x", "since"),
        ("/v1/prices/findings?since=2026-11-20&shape=round", "shape"),
    ],
)
def test_what_they_cannot_be_asked_is_refused_by_name(client, asked, named):
    answer = client.get(asked)
    assert (answer.status_code, named in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("asked", "done"),
    [({}, "run"), ({"what": "run"}, "run"), ({"what": "rebuild"}, "rebuild"), ({"what": "verify"}, "verify")],
)
def test_a_rollup_can_be_asked_for(client, rebuilt, asked, done):
    answer = client.post("/v1/rollup", params=asked)
    assert (answer.json(), rebuilt) == (
        {"traces": 3, "seconds": 0.5, "unpriced": 0, "unread": 0, "late": 0, "undecided": 0, "verified": None},
        [done],
    )


def test_a_rollup_of_another_kind_is_refused_by_name(client, rebuilt):
    answer = client.post("/v1/rollup", params={"what": "undo"})
    assert (answer.status_code, "'undo'" in answer.json()["error"], rebuilt) == (400, True, [])


def test_a_rollup_is_not_a_question(client):
    assert client.get("/v1/rollup").status_code == 405


@pytest.mark.parametrize(
    "asked",
    [
        {"colour": "red"},
        {"since": "yesterday"},
        {"min_cost": "lots"},
        {"min_cost": "NaN"},
        {"errors": "maybe"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "99999"},
    ],
)
def test_a_question_that_makes_no_sense_is_named(client, asked):
    answer = client.get("/v1/traces", params=asked)
    assert (answer.status_code, next(iter(asked)) in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example:4319", "[::1", "127.0.0.1@evil.example"]
)
def test_a_foreign_name_is_refused(client, host):
    assert client.get("/v1/traces", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:4319", "[::1]:4319", "books.example"])
def test_its_own_names_are_answered(client, host):
    assert client.get("/v1/traces", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example"])
def test_a_page_from_elsewhere_cannot_make_it_work(client, rebuilt, origin):
    answer = client.post("/v1/rollup", headers={"origin": origin})
    assert (answer.status_code, rebuilt) == (403, [])


def test_a_page_of_its_own_can(client):
    assert client.post("/v1/rollup", headers={"origin": "http://localhost:4319"}).status_code == 200


def test_other_routes_stand_beside(client):
    assert client.get("/healthz").text == "ok"


def test_a_store_that_fails_is_said(client, store):
    store.run("DROP TABLE tcoai_by_trace")
    assert client.get("/v1/traces").status_code == 503


@pytest.mark.parametrize(
    ("asked", "book", "told"),
    [
        ({"adopt": "perhaps"}, b"", "neither true nor false"),
        ({"since": "soon"}, b"", "is no time"),
        ({"book": "b"}, b"", "is unknown"),
        ({}, b"version: 2", "version: 1"),
        ({}, b"\xff", "can't decode"),
    ],
)
def test_a_repricing_that_makes_no_sense_is_explained(client, asked, book, told):
    answer = client.post("/v1/reprice", params=asked, content=book)
    assert (answer.status_code, told in answer.json()["error"]) == (400, True)
