"""Whoever else tells of a call, the collector counts it once: real packages, real exporters, a collector of its own.

Which are there says the environment; the collector runs in the one that has its store.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from others.all import OTHERS
from others.other import ABSENT

SDK = Path(__file__).parents[1]
CASES = [pytest.param(other, id=other.name) for other in OTHERS if other.is_installed]
ROWS = 1_000


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where it takes spans, and where it answers."""
    books = tmp_path_factory.mktemp("collector") / "books"
    python = os.environ.get("COLLECTOR_PYTHON", sys.executable)
    run = [python, "-c", "from tokentrace_collector.cli import main; main()", "collector", "--store", f"chdb://{books}"]
    ports = ["--http", "0", "--grpc", "0", "--api", "0"]
    with subprocess.Popen([*run, *ports], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        yield json.loads((books / "collector.json").read_text())
        process.terminate()
        process.communicate()


def ask(url: str, *, post: bool = False, **asked: str) -> Any:
    """What the collector answers, once its store is open."""
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(asked)}", method="POST" if post else "GET")
    while True:
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            time.sleep(float(error.headers["retry-after"]))


def test_each_has_a_name_of_its_own():
    assert len({other.name for other in OTHERS}) == len(OTHERS)


@pytest.mark.parametrize("other", CASES)
def test_each_call_costs_once(collector, other, tmp_path):
    paths = os.pathsep.join([str(SDK), str(SDK / "clients"), *filter(None, [os.environ.get("PYTHONPATH")])])
    more = {
        "PYTHONPATH": paths,
        "TOKENTRACE_STRICT": "1",
        "TOKENTRACE_SPOOL": str(tmp_path),
        "OTEL_SERVICE_NAME": other.name,
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "others.application", other.name, collector["otlp_http"]],
        capture_output=True, text=True, check=False, env=os.environ | more,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    billed, told = json.loads(ran.stdout.splitlines()[-1])
    assert bool(told) == (other.counted != ABSENT)
    ask(f"{collector['api']}/v1/rollup", post=True)
    found = ask(f"{collector['api']}/v1/traces", service=other.name, limit=str(ROWS))["traces"]
    tokens: Counter[str] = Counter()
    for each in found:
        tokens.update(each["tokens"])
    counted = {"calls": sum(each["calls"] for each in found), "tokens": +tokens}
    assert counted == billed, [(each["root"], each["calls"], each["tokens"]) for each in found]
