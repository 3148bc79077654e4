"""A collector in one process, questions from others, and an orderly end."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest

TOKENTRACE = [sys.executable, "-c", "from tokentrace_collector.cli import main; main()"]
ENVIRONMENT = os.environ | {"PYTHONIOENCODING": "utf-8"}


def ask(*arguments):
    return subprocess.run([*TOKENTRACE, *arguments], capture_output=True, text=True, check=False, env=ENVIRONMENT)


class Running:
    """A command that runs until it is told to stop, and what it has said so far."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([*TOKENTRACE, *arguments], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.said = ""

    def hear(self, words):
        """Read on until the words have been said."""
        for line in self.process.stderr:
            self.said += line
            if words in line:
                return
        pytest.fail(f"It ended with {self.process.wait()} and said:\n{self.said}")

    def end(self, number):
        """Its exit status after a signal."""
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@pytest.fixture
def store(tmp_path):
    return f"chdb://{tmp_path}/books"


@pytest.fixture
def start():
    running = []

    def start(*arguments):
        running.append(Running(*arguments))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.process.kill()
            each.process.communicate()


def test_a_collector_says_where_it_is_answers_for_its_store_and_ends_in_order(start, store, tmp_path):
    collector = start("collector", "--store", store, "--http", "0", "--grpc", "0", "--api", "0")
    collector.hear("Ctrl-C")
    url = re.search(r"queries +(\S+)", collector.said)[1]
    with urllib.request.urlopen(f"{url}/healthz") as answer:
        assert answer.status == 200
    assert json.loads((tmp_path / "books" / "collector.json").read_text())["api"] == url
    assert ask("traces", "--json", "--store", store).returncode == 0
    assert json.loads(ask("rollup", "run", "--json", "--store", store).stdout)["traces"] == 0
    assert (collector.end(signal.SIGTERM), (tmp_path / "books" / "collector.json").exists()) == (0, False)


def test_a_demo_that_stays_can_be_asked_and_leaves_its_books(start, store):
    demo = start("demo", "--json", "--serve", "--store", store)
    demo.hear("tokentrace.instrument()")
    during = ask("traces", "--json", "--store", store).stdout
    assert demo.end(signal.SIGINT) == 0
    after = ask("traces", "--json", "--store", store).stdout
    assert (json.loads(during)["root"], after) == ("market brief", during)


def test_a_store_belongs_to_one_collector(start, store):
    start("collector", "--store", store, "--http", "0", "--grpc", "0", "--api", "0").hear("Ctrl-C")
    second = ask("collector", "--store", store, "--http", "0", "--grpc", "0", "--api", "0")
    assert (second.returncode, "Traceback" in second.stderr) == (2, False)


def test_a_port_that_is_taken_is_named(start, store, tmp_path):
    first = start("collector", "--store", store, "--http", "0", "--grpc", "0", "--api", "0")
    first.hear("Ctrl-C")
    port = re.search(r"OTLP/HTTP +\S+:(\d+)", first.said)[1]
    second = ask("collector", "--store", f"chdb://{tmp_path}/other", "--http", port, "--grpc", "0", "--api", "0")
    assert (second.returncode, port in second.stderr, "Traceback" in second.stderr) == (2, True, False)


def test_others_may_send_only_when_told_so(store):
    answer = ask("collector", "--store", store, "--host", "0.0.0.0")
    assert (answer.returncode, "0.0.0.0" in answer.stderr) == (2, True)


@pytest.mark.parametrize("book", ["version: 2", "rates: [{model: x}]", "{"])
def test_a_price_book_that_makes_no_sense_is_told(store, tmp_path, book):
    (tmp_path / "book.yaml").write_text(book)
    answer = ask("collector", "--store", store, "--book", str(tmp_path / "book.yaml"))
    assert (answer.returncode, "price book" in answer.stderr, "Traceback" in answer.stderr) == (2, True, False)
