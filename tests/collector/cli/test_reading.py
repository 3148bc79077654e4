"""The reading commands, asking a store and asking a collector: the same answers."""

import json

import pytest
from click.testing import CliRunner

from tokentrace_collector.cli.group import tokentrace

TRACE = "ab" * 16


def run(*arguments, **environment):
    return CliRunner().invoke(tokentrace, list(arguments), env={"COLUMNS": "110", **environment})


def test_requests_are_listed_with_their_cost(asked):
    answer = run("traces", *asked)
    assert (answer.exit_code, "abababababab" in answer.stdout, "$1.5000" in answer.stdout) == (0, True, True)


def test_requests_are_listed_as_json_one_a_line(asked):
    answer = run("traces", "--json", *asked)
    assert [json.loads(line)["total"] for line in answer.stdout.splitlines()] == ["1.5"]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (("--team", "search"), 1),
        (("--team", "other"), 0),
        (("--min-cost", "1.5"), 1),
        (("--min-cost", "1.6"), 0),
        (("--since", "2026-11-22T09:59"), 1),
        (("--until", "2026-11-22"), 0),
        (("--errors",), 0),
        (("--by-cost", "--limit", "1"), 1),
    ],
)
def test_filters_reach_the_books(asked, wanted, count):
    assert len(run("traces", "--json", *wanted, *asked).stdout.splitlines()) == count


def test_no_request_is_no_error_and_no_data(asked):
    answer = run("traces", "--team", "other", *asked)
    assert (answer.exit_code, answer.stdout, "No request matches" in answer.stderr) == (0, "", True)


def test_a_request_is_drawn(asked):
    answer = run("trace", TRACE[:6], *asked)
    assert (answer.exit_code, "└─ chat gpt-6" in answer.stdout, "100.0 %" in answer.stdout) == (0, True, True)


def test_the_latest_request_is_drawn_when_none_is_named(asked):
    assert TRACE in run("trace", *asked).stdout


def test_a_request_as_json_has_its_spans(asked):
    found = json.loads(run("trace", TRACE, "--json", *asked).stdout)
    assert [(each["span_id"], each["cost"]) for each in found["spans"]] == [("call", "1.5"), ("root", None)]


def test_an_unknown_request_is_said_on_stderr(asked):
    answer = run("trace", "ffff", *asked)
    assert (answer.exit_code, answer.stdout, "'ffff'" in answer.stderr) == (1, "", True)


@pytest.mark.parametrize("command", [("traces",), ("trace",), ("traces", "--json"), ("trace", "--json")])
def test_nothing_in_the_books_reaches_the_terminal_raw(asked, command):
    answer = run(*command, *asked, FORCE_COLOR="1", NO_COLOR="1")
    assert "\x1b[2J" not in answer.stdout


def test_no_colour_is_written_without_a_terminal(asked):
    assert "\x1b" not in run("trace", *asked).stdout


def test_prices_that_nobody_knows_are_a_no(asked):
    answer = run("prices", "show", "nobody", *asked)
    assert (answer.exit_code, answer.stdout, "nobody" in answer.stderr) == (1, "", True)


def test_prices_are_per_million_on_the_screen_and_per_token_with_every_digit_as_json(changed):
    assert run("rollup", "run", *changed).exit_code == 0
    lines = run("prices", "show", "openai", "gpt-5", *changed).stdout.splitlines()
    found = json.loads(run("prices", "show", "openai", "gpt-5", "--json", *changed).stdout.splitlines()[0])
    assert lines[1].split()[:5] == ["openai", "gpt-5", "1.25", "0.125", "10"]
    assert found["cells"][0]["prices"]["input_text"] == {"amount": "0.00000125", "per": 1}


@pytest.mark.parametrize("what", [(), ("run",), ("rebuild",), ("verify",)])
def test_a_rollup_says_what_it_did(changed, what):
    answer = run("rollup", *what, "--json", *changed)
    assert (answer.exit_code, json.loads(answer.stdout)["traces"]) == (0, 1)


def test_a_rollup_talks_on_stderr(changed):
    answer = run("rollup", "run", *changed)
    assert (answer.stdout, "1 requests recomputed" in answer.stderr) == ("", True)


def test_a_rollup_that_is_verified_says_what_it_rests_on(changed):
    run("rollup", *changed)
    answer = run("rollup", "verify", *changed)
    assert (answer.exit_code, "equal to it, to the last digit" in answer.stderr) == (0, True)
    verified = json.loads(run("rollup", "verify", "--json", *changed).stdout)["verified"]
    assert (verified["rows"] > 0, verified["differences"]) == (True, [])


def test_a_rollup_that_was_wrong_says_where_and_fails_once(books):
    store = ["--store", str(books.address)]
    run("rollup", *store)
    books.run(
        "INSERT INTO tcoai_by_trace SELECT * REPLACE (total + toDecimal128('0.01', 18) AS total) FROM (SELECT * FROM tcoai_by_trace FINAL)"
    )
    answer = run("rollup", "verify", *store)
    assert (answer.exit_code, "tcoai_by_trace" in answer.stderr, "They are now" in answer.stderr) == (1, True, True)
    assert run("rollup", "verify", *store).exit_code == 0


def test_a_local_rollup_keeps_the_price_book_of_the_store(books, tmp_path):
    book = tmp_path / "book.yaml"
    book.write_text("version: 1\nhuman_review: {rate_per_hour: 60}\n")
    store = ["--store", str(books.address)]
    run("rollup", "run", "--book", str(book), *store)
    run("rollup", *store)
    current = "SELECT book FROM rating_runs WHERE rating_run = (SELECT value FROM rollup_state FINAL WHERE name = 'rating_run')"
    assert books.query(current) == [{"book": book.read_text()}]


def test_a_file_left_by_a_killed_collector_is_not_believed(books):
    address = books.address.directory / "collector.json"
    address.write_text('{"api": "http://127.0.0.1:1"}')
    answer = run("traces", "--json", "--store", str(books.address))
    address.unlink()
    assert (answer.exit_code, len(answer.stdout.splitlines())) == (0, 1)


def test_a_healthy_installation_is_healthy(asked):
    answer = run("doctor", "--json", *asked)
    found = json.loads(answer.stdout)
    checked = {"figures", "disk", "store", "installation", "client", "tracing"}
    assert {each["state"] for each in found["checks"] if each["check"] in checked} == {"ok"}
    clients = {each["found"].partition(" ")[0] for each in found["checks"] if each["check"] == "client"}
    assert clients > {"openai", "anthropic", "google-genai"}


def test_an_interpreter_without_tokentrace_is_told_what_it_lacks(tmp_path):
    import venv

    venv.create(tmp_path / "other")
    python = tmp_path / "other" / "bin" / "python"
    answer = run("doctor", "--json", "--python", str(python), PYTHONPATH="")
    failed = [each["found"] for each in json.loads(answer.stdout)["checks"] if each["check"] == "installation"]
    assert (answer.exit_code, failed) == (
        1, [f"{python} lacks tokentrace. Install it there: `{python} -m pip install tokentrace`."],
    )  # fmt: skip


def test_an_interpreter_that_is_none_is_named():
    assert "/no/such/python cannot be run" in run("doctor", "--json", "--python", "/no/such/python").stdout


def test_what_keeps_figures_from_being_right_is_a_finding(asked, tmp_path):
    (tmp_path / "book.yaml").write_text("version: 9")
    answer = run("doctor", "--python", "/no/such/python", "--book", str(tmp_path / "book.yaml"), *asked)
    assert (answer.exit_code, "FAILED  price book" in answer.stdout) == (1, True)


def test_a_store_that_is_not_there_is_named(tmp_path):
    answer = run("traces", "--store", f"chdb://{tmp_path}/none")
    assert (answer.exit_code, f"{tmp_path}/none" in answer.stderr) == (2, True)


def test_an_address_that_makes_no_sense_is_named():
    answer = run("traces", "--store", "mysql://x")
    assert (answer.exit_code, "mysql" in answer.stderr) == (2, True)


def test_a_collector_that_does_not_answer_is_named():
    answer = run("traces", "--url", "http://127.0.0.1:1")
    assert (answer.exit_code, "http://127.0.0.1:1" in answer.stderr) == (2, True)


def test_an_address_that_is_no_http_is_refused():
    assert run("traces", "--url", "file:///etc/passwd").exit_code == 2


def test_a_question_the_store_refuses_is_passed_on(asked):
    answer = run("traces", "--since", "0001-01-01", *asked)
    assert (answer.exit_code, "cannot answer" in answer.stderr) == (2, True)


@pytest.mark.parametrize("wrong", [("--since", "yesterday"), ("--min-cost", "lots"), ("--limit", "0")])
def test_a_wrong_use_is_told_apart(wrong):
    assert run("traces", *wrong).exit_code == 2
