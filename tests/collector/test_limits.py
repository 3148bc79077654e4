"""What a credential may take, and what all requests under way may hold."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from test_receive import PROTOBUF, Receivers, request

from tokentrace_collector import access, notation
from tokentrace_collector.access import Grant
from tokentrace_collector.allowance import Allowance
from tokentrace_collector.counters import Counters
from tokentrace_collector.journal.entries import Limits
from tokentrace_collector.receive.pace import Pace, TooFastError
from tokentrace_collector.receive.room import Room

DIGEST = access.digest("token")


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[int], Receivers]]:
    made: list[Receivers] = []

    def make(room: int) -> Receivers:
        made.append(Receivers(tmp_path, Limits(), room=Room(room)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_body_that_there_is_no_room_for_comes_again(opened: Callable[[int], Receivers]):
    body = request("chat")
    receivers = opened(len(body) - 1)
    answer = receivers.post(body)
    assert (answer.status, answer.retry_after) == (429, "1")
    assert receivers.counters.snapshot()["requests_refused"] == 1


def test_a_body_counts_decompressed_and_gives_its_room_back(opened: Callable[[int], Receivers]):
    large, small = request("x" * 20_000), request("chat")
    receivers = opened(5_000)
    statuses = [
        receivers.post(each, PROTOBUF, "gzip").status for each in (gzip.compress(large), gzip.compress(small)) * 3
    ]
    assert statuses == [429, 200] * 3


def test_grpc_is_told_that_there_is_no_room(opened: Callable[[int], Receivers]):
    receivers = opened(5_000)
    with pytest.raises(grpc.RpcError) as raised:
        receivers.export(request("x" * 20_000))
    trailers = dict(raised.value.trailing_metadata())
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 1
    assert receivers.export(request("chat")) == b""


def test_a_credential_with_a_rate_of_its_own_is_held_to_that():
    pace = Pace(Counters(), requests=1, clock=lambda: 0.0)
    quick, usual = Grant("quick", "acme", limits=Allowance(requests_per_second=3)), Grant("usual", "acme")
    for _ in range(3):
        pace.enter(quick)
    pace.enter(usual)
    for each in (quick, usual):
        with pytest.raises(TooFastError, match=each.name):
            pace.enter(each)


def test_a_file_of_credentials_says_their_limits():
    text = f"version: 1\ncredentials:\n  - {{name: a, may: [ask], limits: {{queries: 2, query_seconds: 0.5}}, token_sha256: {DIGEST}}}\n"
    (grant,) = access.parse(text).tokens.values()
    assert (grant.tenant, grant.limits) == ("", Allowance(queries=2, query_seconds=0.5))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("may: [ask], limits: {queries: 0.5}", "is no limit"),
        ("may: [ask], limits: {query_seconds: nan}", "is no limit"),
        ("may: [ask], limits: {query_rows: -1}", "is no limit"),
        ("may: [ask], limits: {speed: 1}", "speed"),
        ("may: [send, ask]", "Whose spans"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(said: str, why: str):
    with pytest.raises(notation.NotationError, match=why):
        access.parse(f"version: 1\ncredentials:\n  - {{name: a, {said}, token_sha256: {DIGEST}}}\n")
