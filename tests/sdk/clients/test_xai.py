"""`xai-sdk`: what its own tracing does, and what a response says beside its tokens."""

from __future__ import annotations

import pytest
from quickstarts import xai
from quickstarts.peers.rpc import said
from quickstarts.quickstart import take

pytest.importorskip("xai_sdk")

CASES = {quickstart.name: quickstart for quickstart in xai.CLIENT.quickstarts}


@pytest.fixture
def native(monkeypatch, metering):
    """The spans of the library itself and ours, in one place."""
    from xai_sdk.sync import chat

    with metering() as spans:
        pass
    monkeypatch.setattr(chat, "tracer", spans.tracer)
    return spans


@pytest.mark.parametrize("name", ["chat", "chat streamed", "chat deferred"])
def test_the_library_makes_no_span_of_a_call_that_is_metered(metering, native, name):
    with metering():
        take(CASES[name])
    assert [span.name for span in native] == []


def test_the_library_traces_itself_once_nothing_is_metered(metering, native):
    with metering():
        pass
    take(CASES["chat"])
    assert [span.name for span in native] == ["chat.sample grok-4"]


def test_a_response_names_its_model_its_cost_and_its_tier(spans):
    answer = xai._answer("4", usage=xai.SEARCHED) | {"service_tier": "SERVICE_TIER_PRIORITY"}
    with xai._serve(xai.Provider((said(answer),))) as host:
        xai.chat(host)
    told = spans.only()
    assert {key: value for key, value in told.items() if not key.startswith(("gen_ai.usage", "tokentrace.usage"))} == {
        "name": "chat grok-4",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "x_ai",
        "gen_ai.request.model": "grok-4",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.id": "a1b2",
        "gen_ai.response.model": "grok-4",
        "tokentrace.attempts": 0,
        "tokentrace.billing.service_tier": "priority",
        "tokentrace.cost.currency": "USD",
        "tokentrace.cost.reported": "0.0123450000",
        "tokentrace.cost.reporter": "x_ai",
        "tokentrace.input.segments": ("system:9", "user:3", "tool_results:28"),
        "tokentrace.input.system": 9,
        "tokentrace.input.tool_results": 28,
        "tokentrace.input.user": 3,
        "tokentrace.meter.web_search": 1,
        "tokentrace.meter.x_search": 2,
        "tokentrace.prefix.cacheable": 0,
        "tokentrace.prefix.repeated": 0,
        "tokentrace.reasoning.source": "reported",
        "tokentrace.reasoning.visibility": "hidden",
    }


def test_a_message_that_leaves_its_usage_open_has_none(spans):
    answer = {name: value for name, value in xai._answer("4").items() if name != "usage"}
    with xai._serve(xai.Provider((said(answer),))) as host:
        xai.chat(host)
    assert spans.only()["tokentrace.usage.source"] == "missing"


def test_a_cost_that_is_not_told_is_not_nothing(spans):
    take(CASES["chat"])
    assert "tokentrace.cost.reported" not in spans.only()


def test_a_stored_completion_is_read_again(spans):
    from xai_sdk import Client

    with xai._serve(xai.Provider((said(xai._answer("4")),))) as host:
        Client(api_key="-", api_host=host).chat.get_stored_completion("a1b2")
    assert spans.only()["tokentrace.usage.scope"] == "retrieve"


def test_a_video_is_measured_in_seconds(spans):
    from xai_sdk import Client

    clip = {"video": {"url": "https://host/1.mp4", "duration": 6}, "model": "grok-imagine-video"}
    answers = (said({"request_id": "r1"}), said({"status": "DONE", "response": clip}))
    with xai._serve(xai.Provider(answers)) as host:
        Client(api_key="-", api_host=host).video.generate("A cat in a tree", "grok-imagine-video")
    assert spans.only()["tokentrace.meter.video_seconds"] == 6
