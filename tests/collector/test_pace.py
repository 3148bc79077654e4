"""Who sends more than it may is sent away for a while."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from test_receive import Receivers, request

from tokentrace_collector.journal.entries import Limits


@pytest.fixture
def opened(tmp_path: Path):
    made: list[Receivers] = []

    def make(**pace: object) -> Receivers:
        made.append(Receivers(tmp_path, Limits(), **pace))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.mark.fault("fast sender")
def test_too_many_requests_wait_until_the_bucket_has_filled(opened: Callable[..., Receivers]):
    now = [0.0]
    receivers = opened(requests=0.5, clock=lambda: now[0])
    assert receivers.post(request("chat")).status == 200
    answer = receivers.post(request("chat"))
    assert (answer.status, answer.retry_after) == (429, "2")
    now[0] = 2.0
    assert receivers.post(request("chat")).status == 200
    assert receivers.counters.snapshot()["requests_limited"] == 1


@pytest.mark.fault("fast sender")
def test_grpc_is_told_when_to_come_again_too(opened: Callable[..., Receivers]):
    receivers = opened(requests=1, clock=lambda: 0.0)
    receivers.export(request("chat"))
    with pytest.raises(grpc.RpcError) as raised:
        receivers.export(request("chat"))
    trailers = dict(raised.value.trailing_metadata())
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"]).retry_delay.seconds == 1


def test_bytes_that_were_overdrawn_are_made_up_for(opened: Callable[..., Receivers]):
    now = [0.0]
    body = request("chat")
    receivers = opened(size=len(body) / 2, clock=lambda: now[0])
    assert receivers.post(body).status == 200
    assert receivers.post(body).status == 429
    now[0] = 3.0
    assert receivers.post(body).status == 200
