"""What the end of a process costs, however it comes: processes of their own, signals, sockets and files."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time

import pytest
from collecting import Collector, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals and fork")

STATED = 2.0
"""Seconds after which a span is with the collector or on disk, says sdk/README.md."""

WORK = """
    import sys, time, tokentrace
    tokentrace.instrument()
    for number in range(int(sys.argv[1])):
        with tokentrace.step(f"{sys.argv[2]} {number}"):
            pass
    print("done", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def port():
    """Nobody listens there."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@pytest.fixture
def begun(tmp_path, port):
    """Begins programs that deliver to the port, and ends those that are left."""
    running = []

    def begun(code, *arguments, **env):
        said = {
            "TOKENTRACE_ENDPOINT": f"http://127.0.0.1:{port}",
            "TOKENTRACE_SPOOL": str(tmp_path / "spool"),
            "PYTHONUNBUFFERED": "1",
        }
        running.append(
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=os.environ | said | env,
            )
        )  # fmt: skip
        return running[-1]

    yield begun
    for process in running:
        process.kill()
        process.communicate()


def said(process, word):
    assert process.stdout.readline().strip() == word, process.stderr.read()


def finished(process):
    """End a program that waits for it; what it wrote to stderr."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return errors


def come(begun, port, *names, **env):
    """Start the collector and one more process; nothing but `names` must arrive from those before."""
    collector = Collector(port)
    try:
        later = begun(WORK, 1, "later", **env)
        until(lambda: set(collector.names) >= {*names, "later 0"})
        finished(later)
        return sorted(collector.names)
    finally:
        collector.close()


class Silent:
    """Takes connections and never answers, the slowest kind of dead."""

    def __init__(self, port):
        self._socket = socket.create_server(("127.0.0.1", port), backlog=64)

    def close(self):
        self._socket.close()


class Refusing(Collector):
    def __init__(self, port):
        super().__init__(port)
        self.status = 503


class Absent:
    def __init__(self, port):
        pass

    def close(self):
        pass


@pytest.mark.parametrize(
    ("dead", "end"),
    [(Absent, signal.SIGKILL), (Silent, signal.SIGKILL), (Refusing, signal.SIGKILL), (Silent, signal.SIGTERM)],
)
def test_a_process_that_is_killed_during_an_outage_loses_at_most_its_last_seconds(begun, port, dead, end):
    outage = dead(port)
    process = begun(WORK, 5, "early")
    said(process, "done")
    # Not for anything to happen in time, but for as long as it is said to take.
    time.sleep(STATED)
    process.send_signal(end)
    assert process.wait() == -end
    outage.close()
    expected = [f"early {number}" for number in range(5)]
    assert come(begun, port, *expected) == [*expected, "later 0"]


def test_a_process_that_ends_during_an_outage_waits_two_seconds_and_loses_nothing(begun, port):
    with socket.create_server(("127.0.0.1", port)):
        process = begun(WORK, 2000, "early")
        said(process, "done")
        began = time.monotonic()
        errors = finished(process)
        assert time.monotonic() - began < 3
    assert "Traceback" not in errors
    expected = sorted(f"early {number}" for number in range(2000))
    assert come(begun, port, *expected) == [*expected, "later 0"]


def test_a_program_as_short_as_can_be_loses_nothing_either(begun, port):
    process = begun("""
        import tokentrace
        tokentrace.instrument()
        with tokentrace.step("early 0"):
            pass
    """)
    finished(process)
    assert come(begun, port, "early 0") == ["early 0", "later 0"]


def test_an_exit_while_the_application_flushes_itself_loses_nothing(begun, port):
    """Its own flush at its own exit has used up the time already."""
    process = begun("""
        import atexit, tokentrace
        tokentrace.instrument()
        def end():
            with tokentrace.step("early 1"):
                pass
            tokentrace.flush(1.0)
        atexit.register(end)
        with tokentrace.step("early 0"):
            pass
    """)
    finished(process)
    assert come(begun, port, "early 0", "early 1") == ["early 0", "early 1", "later 0"]


def test_children_of_a_fork_keep_their_own_spans_and_let_those_of_a_dead_parent_go(begun, port):
    process = begun("""
        import os, signal, sys, time, tokentrace
        tokentrace.instrument()
        with tokentrace.step("parent 0"):
            pass
        # On disk already, so that the children share what is open.
        time.sleep(2)
        for number in range(2):
            if os.fork() == 0:
                with tokentrace.step(f"child {number}"):
                    pass
                sys.stdin.read()
                os._exit(0)
        with tokentrace.step("parent 1"):
            pass
        time.sleep(2)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    assert process.wait() == -signal.SIGKILL
    expected = ["child 0", "child 1", "later 0", "parent 0", "parent 1"]
    assert come(begun, port, *expected) == expected


def test_a_child_of_multiprocessing_leaves_its_spans_on_disk(begun, port):
    process = begun("""
        import multiprocessing, tokentrace
        def work():
            with tokentrace.step("child 0"):
                pass
        tokentrace.instrument()
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join()
        assert child.exitcode == 0
    """)
    finished(process)
    assert come(begun, port, "child 0") == ["child 0", "later 0"]


def test_what_was_kept_is_sent_to_its_own_endpoint_and_under_its_own_token_only(begun, port, collector):
    theirs = {"TOKENTRACE_HEADERS": "authorization=Bearer theirs"}
    finished(begun(WORK, 1, "theirs", **theirs))
    assert come(begun, port, TOKENTRACE_HEADERS="authorization=Bearer ours") == ["later 0"]
    finished(begun(WORK, 1, "elsewhere", TOKENTRACE_ENDPOINT=collector.endpoint, **theirs))
    assert collector.names == ["elsewhere 0"]
    assert come(begun, port, "theirs 0", TOKENTRACE_HEADERS="Authorization=Bearer theirs") == ["later 0", "theirs 0"]


def test_without_a_place_to_write_a_process_ends_as_it_would_anyway(begun, tmp_path):
    (tmp_path / "spool").write_text("in the way")
    process = begun(WORK, 3, "lost")
    errors = finished(process)
    assert "cannot keep spans on disk" in errors
    assert "could not deliver 3 spans" in errors
    assert "Traceback" not in errors


def test_nothing_of_the_disk_is_loaded_before_a_span_has_ended(begun):
    process = begun("""
        import sys, tokentrace
        tokentrace.instrument()
        print(sorted({f"tokentrace.{name}" for name in ("keeper", "spool", "segment", "framing", "claim", "otlp")} & set(sys.modules)))
    """)
    said(process, "[]")
    finished(process)


def test_no_span_older_than_stated_is_lost_whatever_happens_to_whom(begun, port, tmp_path):
    """Processes that are killed and followed by others, while the collector comes and goes; each keeps its own book."""
    code = """
        import sys, time, tokentrace
        tokentrace.instrument()
        with open(sys.argv[1], "w") as book:
            for number in range(1_000_000):
                with tokentrace.step(f"{sys.argv[1]} {number}"):
                    pass
                book.write(f"{time.time()} {sys.argv[1]} {number}\\n")
                book.flush()
                time.sleep(0.02)
    """
    chance = random.Random(7)
    collector = Collector(port)
    over = threading.Event()

    def weather():
        while not over.wait(chance.uniform(0.2, 0.8)):
            collector.status = chance.choice([200, 503, 500, 429, 401])

    changing = threading.Thread(target=weather)
    changing.start()
    owed = set()
    try:
        for turn in range(2):
            books = [tmp_path / f"{turn}-{number}" for number in range(3)]
            processes = [begun(code, book) for book in books]
            until(lambda books=books: all(book.exists() and book.stat().st_size for book in books), 60)
            time.sleep(chance.uniform(3.5, 4.5))
            for process, book in zip(processes, books, strict=True):
                killed = time.time()
                process.kill()
                process.wait()
                entries = [line.split(" ", 1) for line in book.read_text().splitlines()[:-1]]
                owed |= {name for ended, name in entries if float(ended) < killed - STATED}
    finally:
        over.set()
        changing.join()
    collector.status = 200
    later = begun(WORK, 1, "later")
    assert len(owed) > 100
    until(lambda: owed <= set(collector.names), 60)
    finished(later)
    collector.close()
