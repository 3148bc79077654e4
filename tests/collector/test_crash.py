"""What was acknowledged survives: the collector is killed under load, again and again, and nothing is lost or doubled."""

import http.client
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from nursery import POINTS, Death, Nursery, deaths
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from process import PROGRAM, Process, until

from tokentrace_collector.journal.entries import Journal
from tokentrace_collector.journal.segment import Entry

SENDERS = 3
REQUESTS = 12
"""What the senders of a collector have acknowledged at most before it is killed."""
PATIENCE = 120
"""Seconds; only a machine that is busy with other things comes near them."""
KILLED = 4
"""Collectors of each store that are killed from outside, while requests are under way."""


def stored(store: str) -> dict[str, list[int]]:
    """Of each span in a store that no collector holds: how often it is there raw, ready, and its trace touched."""
    return json.loads(Process.ask("spans", store))


def request(dice: random.Random, spans: int) -> tuple[bytes, list[str]]:
    """A request of new spans, and their ids."""
    made = ExportTraceServiceRequest()
    scope = made.resource_spans.add().scope_spans.add()
    for _ in range(spans):
        span = scope.spans.add(trace_id=dice.randbytes(16), span_id=dice.randbytes(8), name="chat")
        span.start_time_unix_nano = 1_767_225_600_000_000_000 + dice.randrange(10**15)
        span.end_time_unix_nano = span.start_time_unix_nano + 1
    return made.SerializeToString(), [span.span_id.hex() for span in scope.spans]


class Sender:
    """Sends as fast as it gets answers, until the collector dies or has its share; keeps what was acknowledged."""

    def __init__(self, address: str, seed: str) -> None:
        self.acknowledged: set[str] = set()
        self.requests = 0
        self._address = address
        self._dice = random.Random(seed)
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def join(self) -> set[str]:
        self._thread.join()
        return self.acknowledged

    def _send(self) -> None:
        headers = {"Content-Type": "application/x-protobuf"}
        with (
            closing(http.client.HTTPConnection(self._address, timeout=10)) as connection,
            suppress(OSError, http.client.HTTPException),
        ):
            for _ in range(REQUESTS // SENDERS):
                body, ids = request(self._dice, self._dice.randrange(1, 15))
                connection.request("POST", "/v1/traces", body, headers)
                response = connection.getresponse()
                response.read()
                if response.status == 200:
                    self.acknowledged.update(ids)
                self.requests += 1


@pytest.mark.fault("killed collector")
def test_a_part_that_the_engine_only_believes_to_have_is_stored_again(tmp_path: Path):
    """It was killed between its note that a part is stored and the part's own name: seen in its system calls."""
    address = f"chdb://{tmp_path}/store"
    body, ids = request(random.Random(1), 50)
    journal = Journal(tmp_path / "store" / "journal")
    journal.append(Entry("default", body, "", spans=50, size=len(body), received=time.time_ns())).result()
    batch = journal.claim()
    assert batch
    journal.close()
    command = [sys.executable, str(PROGRAM), "insert", address, f"{batch.cut.token}/default"]
    parts = subprocess.run(command, input=body, check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    assert len(parts) == 3
    for part in parts:
        shutil.rmtree(part)
    assert len(stored(address)) < 50
    collector = Process(address)
    until(lambda: collector.backlog == 0)
    assert collector.terminate() == 0
    assert stored(address) == {span: [1, 1, 1] for span in ids}


def life(nursery: Nursery, death: Death | None, seed: str) -> tuple[set[str], str]:
    """What a collector acknowledged before it was killed, and where it died if it was by itself."""
    dice = random.Random(seed)
    collector = nursery.bear(death)
    enough = REQUESTS if death else dice.randrange(REQUESTS)
    senders = [Sender(collector.otlp, f"{seed} {each}") for each in range(SENDERS)] if collector.otlp else []
    until(lambda: collector.is_gone or sum(sender.requests for sender in senders) >= enough, PATIENCE)
    if death:
        until(lambda: collector.is_gone or collector.is_idle, PATIENCE)
    collector.kill()
    return set().union(*(sender.join() for sender in senders)), collector.died_at


def lives(store: str, nth: int) -> tuple[set[str], set[str]]:
    """All that the collectors of a store acknowledged, and where they died."""
    plan = [*deaths(random.Random(nth), nth), *[None] * KILLED]
    random.Random(nth).shuffle(plan)
    with closing(Nursery(store)) as nursery:
        done = [life(nursery, death, f"{nth} {number}") for number, death in enumerate(plan)]
    return set().union(*(acknowledged for acknowledged, _ in done)), {died_at for _, died_at in done}


@pytest.mark.fault("killed collector")
def test_a_killed_collector_loses_and_doubles_nothing(tmp_path: Path):
    """By its own hand at every step of a span's way, and by ours at any moment, on two stores at the same time."""
    stores = [f"chdb://{tmp_path}/{name}" for name in ("one", "two")]
    with ThreadPoolExecutor(len(stores)) as pool:
        ends = list(pool.map(lives, stores, range(1, 3)))
    reached = set().union(*(died_at for _, died_at in ends))
    assert {point for point in POINTS if not any(each.startswith(point) for each in reached)} == set()
    for store, (acknowledged, _) in zip(stores, ends, strict=True):
        last = Process(store)
        until(lambda last=last: last.backlog == 0, PATIENCE)
        assert last.terminate() == 0
        copies = stored(store)
        assert len(acknowledged) > 1_000
        assert acknowledged - copies.keys() == set()
        assert {span: count for span, count in copies.items() if count != [1, 1, 1]} == {}
