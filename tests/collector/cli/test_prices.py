"""`tokentrace prices`: sources compared, a newer catalogue written, a file imported, the books' prices examined."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace
from tokentrace_collector.prices import book, edition

CHEAPER = "version: 1\nrates: [{provider: openai, model: gpt-6-sol, prices: {input_text: 1}}]\n"
PROVIDER = {"id": "openai", "name": "OpenAI", "api_pattern": "x"}
NEWER = json.dumps(
    [PROVIDER | {"models": [{"id": "gpt-9", "match": {"equals": "gpt-9"}, "prices": {"input_mtok": 3}}]}]
)
FOREIGN = json.dumps({
    "gpt-6-sol": {"litellm_provider": "openai", "input_cost_per_token": 5e-06},
    "none-such": {"litellm_provider": "openai", "input_cost_per_token": 7e-06},
    "size": {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "input_cost_per_token_above_9k_tokens": 2e-06},
})  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(tokentrace, ["prices", *map(str, arguments)], env={"COLUMNS": "140"})


def rows(answer):
    return [json.loads(line) for line in answer.stdout.splitlines()]


@pytest.fixture
def files(tmp_path):
    for name, content in (("book.yaml", CHEAPER), ("newer.json", NEWER), ("litellm.json", FOREIGN)):
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_book_is_compared_with_the_catalogue_in_use(files):
    answer = run("diff", files / "book.yaml", "--json")
    assert (answer.exit_code, {(each["provider"], each["model"]) for each in rows(answer)}) == (
        1,
        {("openai", "gpt-6-sol")},
    )
    first = rows(answer)[0]
    assert (first["before"], first["after"], first["valid_to"]) == ("0.000002", "0.000001", None)


def test_differences_are_drawn_with_both_sides(files):
    answer = run("diff", files / "book.yaml")
    assert " ".join(answer.stdout.splitlines()[1].split()).startswith("openai gpt-6-sol input_text 2 → 1")
    assert "prices of 1 models differ" in answer.stderr


def test_what_a_rule_makes_of_a_price_differs_from_it(files):
    rule = "{id: ea, match: {provider: openai, model: gpt-6-sol, tier: standard}, discount: 0.125, on: [input_text]}"
    (files / "book.yaml").write_text(f"version: 1\nrules: [{rule}]\n")
    found = rows(run("diff", files / "book.yaml", "--json"))
    assert [(each["context"], each["unit"], each["before"], each["after"]) for each in found[:1]] == [
        ("", "input_text", "0.000002", "0.00000175"),
    ]  # fmt: skip
    assert {(each["model"], each["context"], each["unit"]) for each in found} == {("gpt-6-sol", "", "input_text")}


def test_equal_prices_are_no_difference(files):
    answer = run("diff", files / "book.yaml", files / "book.yaml", "--json")
    assert (answer.exit_code, answer.stdout, "No price differs" in answer.stderr) == (0, "", True)


def test_the_other_way_round_the_sides_change(files):
    assert [rows(run("diff", files / "book.yaml", "catalogue", "--json"))[0][side] for side in ("before", "after")] == [
        "0.000001", "0.000002",
    ]  # fmt: skip


def test_a_choice_of_models_is_kept_to(files):
    assert run("diff", files / "book.yaml", "--model", "gpt-5").exit_code == 0
    assert run("diff", files / "book.yaml", "--provider", "openai").exit_code == 1


def test_a_price_file_of_litellm_is_compared_where_both_know_the_model(files):
    found = rows(run("diff", files / "litellm.json", "--shared", "--json"))
    assert {each["model"] for each in found} == {"gpt-6-sol"}
    assert "0.000005" in {each["after"] for each in found}
    assert {each["model"] for each in rows(run("diff", files / "litellm.json", "--json"))} >= {"gpt-5", "none-such"}


@pytest.mark.parametrize("sources", [("a.yaml",), ("catalogue", "catalogue", "catalogue")])
def test_a_source_that_cannot_be_read_is_a_wrong_use(sources):
    assert run("diff", *sources).exit_code == 2


def test_a_book_with_a_mistake_names_its_line(files):
    (files / "book.yaml").write_text("version: 1\nrates: 7\n")
    answer = run("diff", files / "book.yaml")
    assert (answer.exit_code, "Line 2" in answer.stderr) == (2, True)


@contextmanager
def serving(content, status=200):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/data.json"
        finally:
            server.shutdown()
            thread.join()


def test_an_update_says_what_changes_and_writes_nothing_unasked(files):
    with serving(NEWER.encode()) as url:
        answer = run("update", "--from", url, "--json")
    found = {each["model"]: (each["before"], each["after"]) for each in rows(answer) if each["unit"] == "input_text"}
    assert (found["gpt-9"], found["gpt-6-sol"][1]) == ((None, "0.000003"), None)
    assert (answer.exit_code, "Nothing was written" in answer.stderr) == (0, True)


@pytest.mark.parametrize("how", ["file", "network"])
def test_an_update_is_written_as_it_came_and_says_how_to_adopt_it(files, how):
    output = files / "catalogue.json"
    with serving(NEWER.encode()) as url:
        answer = run(
            "update", *(("--file", files / "newer.json") if how == "file" else ("--from", url)), "--output", output
        )
    assert (answer.exit_code, output.read_text(), "gpt-9" in answer.stdout) == (0, NEWER, True)
    assert f"{edition.CATALOGUE}={output} tokentrace reprice" in answer.stderr


@pytest.mark.parametrize(("content", "status"), [(b"<html>", 200), (b"[]", 200), (b"{}", 200), (b"", 404)])
def test_what_is_no_catalogue_is_not_written(files, content, status):
    output = files / "catalogue.json"
    with serving(content, status) as url:
        answer = run("update", "--from", url, "--output", output)
    assert (answer.exit_code, output.exists(), url in answer.stderr) == (2, False, True)


@pytest.mark.parametrize(
    "wrong", [("--from", "ftp://x"), ("--from", "http://127.0.0.1:1/"), ("--from", "http://x", "--file", "{}")]
)
def test_an_update_from_nowhere_is_told(files, wrong):
    assert run("update", *(each.format(files / "newer.json") for each in wrong)).exit_code == 2


def test_an_import_is_a_book_that_can_be_tried(files):
    output = files / "made.yaml"
    answer = run("import", "litellm", files / "litellm.json", "--output", output)
    (rate,) = book.read(output).rates
    assert (rate.model, "1 rates" in answer.stderr, "openai size" in answer.stderr) == ("none-such", True, True)
    assert run("import", "litellm", files / "litellm.json").stdout == output.read_text()


def test_what_cannot_be_imported_is_told(files):
    assert run("import", "litellm", files / "newer.json").exit_code == 2


@pytest.fixture(scope="module")
def doubtful(fresh_ledger):
    """Books with something of everything that may be wrong."""
    ledger = fresh_ledger()
    ledger.call("a", "1", tokens={"input_text": 3_000})
    ledger.call("b", "1", tokens={"input_text": 1_000}, model="none\x1b[2J-such")
    ledger.call("c", "1", tokens={"input_text": 1_000}, model="models/gpt-6-luna", provider="openai")
    said = {"tokentrace.cost.reported": "1", "tokentrace.cost.reporter": "litellm"}
    ledger.call("d", "1", tokens={"input_text": 5_000}, model="gpt-5-mini", said=said)
    ledger.tick()
    return ledger


@pytest.fixture(scope="module", params=["store", "collector"])
def examined(request, doubtful, led):
    """Options that lead to these books."""
    with led(doubtful.store, request.param) as options:
        yield options


PERIOD = ("--since", "2026-11-01", "--until", "2026-12-01")


def checks(answer):
    found = {}
    for each in json.loads(answer.stdout)["checks"]:
        found.setdefault(each["check"], []).append((each["state"], each["found"]))
    return found


def test_the_doctor_names_what_has_no_price_and_its_share(examined):
    answer = run("doctor", *PERIOD, "--json", *examined)
    ((state, told),) = checks(answer)["unpriced"]
    assert (answer.exit_code, state, "1 of 1 calls" in told, "1,000 tokens, 10.0 % of all" in told) == (
        1,
        "failed",
        True,
        True,
    )


def test_the_doctor_names_what_was_found_by_a_part_of_its_name(examined):
    assert checks(run("doctor", *PERIOD, "--json", *examined))["found by"] == [
        ("note", "openai models/gpt-6-luna: rated as openai gpt-6-luna, found by its last part of the name."),
    ]


def test_the_doctor_names_what_is_said_to_cost_otherwise(examined):
    ((state, told),) = checks(run("doctor", *PERIOD, "--json", *examined))["reported"]
    assert (state, told) == ("failed", "openai gpt-5-mini: 1 calls are said to cost $1.0000, list prices make $0.0012.")
    assert "reported" not in checks(run("doctor", *PERIOD, "--tolerance", "100", "--json", *examined))


@pytest.mark.parametrize(
    ("book", "said_in", "told"),
    [
        # 5,000 tokens at $0.25 a million cost $0.00125.
        ("fx: {EUR: [{from: 2026-01-01, rate: 1.25}]}", "EUR", "$1.2500, list prices make $0.0012."),
        ("currency: EUR, fx: {USD: [{from: 2026-01-01, rate: 0.8}]}", "", "€0.8000, list prices make €0.0010."),
        ("currency: EUR, fx: {USD: [{from: 2026-01-01, rate: 0.8}]}", "EUR", "€1.0000, list prices make €0.0010."),
        ("fx: {EUR: [{from: 2026-01-01, rate: 1.25}]}", "CHF", None),
    ],
)
def test_what_calls_are_said_to_cost_is_compared_in_the_currency_of_the_book(ledger, led, book, said_in, told):
    ledger.priced_by(f"{{version: 1, {book}}}")
    said = {"tokentrace.cost.reported": "1", "tokentrace.cost.reporter": "litellm", "tokentrace.cost.currency": said_in}
    ledger.call("a", "1", tokens={"input_text": 5_000}, model="gpt-5-mini", said=said)
    ledger.tick()
    with led(ledger.store, "store") as options:
        found = checks(run("doctor", *PERIOD, "--json", *options)).get("reported", [])
    assert found == ([("failed", f"openai gpt-5-mini: 1 calls are said to cost {told}")] if told else [])


def test_the_doctor_tells_how_old_the_catalogue_is(examined):
    answer = run("doctor", *PERIOD, "--json", *examined)
    ((_, told),) = checks(answer)["catalogue"]
    newest = json.loads(answer.stdout)["pricing"]["newest_price"]
    assert (told.startswith("genai-prices"), newest in told, newest <= "2026-12-01") == (True, True, True)


def test_the_doctor_compares_with_another_source_what_was_called(examined, files):
    told = checks(run("doctor", *PERIOD, "--beside", files / "litellm.json", "--json", *examined))["elsewhere"]
    assert ("note", "openai gpt-6-sol input_text: 2 to 5 from") in [(state, text[:40]) for state, text in told]
    assert all(text.startswith("openai gpt-6-sol") for _, text in told)


def test_the_doctor_asks_for_any_period(examined):
    answer = run("doctor", "--since", "1900-01-01", "--until", "2299-12-31", "--json", *examined)
    assert "1 of 1 calls" in checks(answer)["unpriced"][0][1]


def test_the_doctor_prints_nothing_raw(examined):
    answer = run("doctor", *PERIOD, *examined)
    assert (answer.exit_code, "FAILED" in answer.stdout, "\x1b[2J" in answer.stdout) == (1, True, False)


def test_without_calls_there_is_nothing_to_find_fault_with(ledger, led):
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run("doctor", "--json", *options)
    assert (answer.exit_code, checks(answer)["calls"][0][0]) == (0, "note")


def test_prices_that_changed_within_the_period_are_told(ledger, led):
    ledger.priced_by(
        "version: 1\nrates: [{provider: openai, model: gpt-6-sol, from: 2026-11-20, prices: {input_text: 1}}]"
    )
    ledger.call("a", "1", tokens={"input_text": 3_000})
    ledger.tick()
    with led(ledger.store, "store") as options:
        answer = run("doctor", *PERIOD, "--json", *options)
        before = run("doctor", "--since", "2026-11-20T01:00", "--until", "2026-12-01", "--json", *options)
    assert ("note", "openai gpt-6-sol input_text: 2 to 1 from 2026-11-20") in checks(answer)["changed"]
    assert "changed" not in checks(before)


def test_a_collector_is_told_apart_from_the_catalogue_beside_it(ledger, led, monkeypatch, files):
    ledger.tick()
    monkeypatch.setenv(edition.CATALOGUE, str(files / "newer.json"))
    with led(ledger.store, "collector") as options:
        answer = CliRunner().invoke(tokentrace, ["reprice", *options])
    assert (answer.exit_code, "its own catalogue" in answer.stderr) == (0, True)
