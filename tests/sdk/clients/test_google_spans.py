"""What the spans of google-genai say beside their counts: whose answer they tell of, and every HTTP attempt."""

from __future__ import annotations

import gc
import random
from importlib.util import find_spec

import pytest
from quickstarts import google_clients, google_content, google_genai, google_images
from quickstarts.quickstart import Quickstart, take
from shapes.provider import lost, refused

pytestmark = pytest.mark.filterwarnings("ignore")  # Of the client's own making: users see them without us.


@pytest.fixture(autouse=True)
def _collected():
    """What the client leaves open is told here, where nobody minds, and not in another test."""
    yield
    gc.collect()


ID, PROVIDER, MODEL = "gen_ai.response.id", "gen_ai.provider.name", "gen_ai.request.model"


def _attributes(metering, name, *keys):
    """What the spans of a quick start say of these attributes."""
    (quickstart,) = (one for one in google_genai.CLIENT.quickstarts if one.name == name)
    with metering() as began:
        take(quickstart)
        gc.collect()
        return [tuple(span.attributes.get(key) for key in keys) for span in began.ours()]


def test_an_interaction_that_is_read_again_is_told_by_its_id(metering):
    told = _attributes(metering, "interactions in the background", ID, "tokentrace.usage.scope")
    assert told == [("v1_1", "call"), ("v1_1", "retrieve"), ("v1_1", "retrieve")]


def test_an_interaction_at_vertex_ai_is_one_of_vertex_ai(metering):
    keys = (PROVIDER, MODEL, "server.address", "gen_ai.operation.name")
    assert _attributes(metering, "interactions", *keys) == [
        ("gcp.gemini", "gemini-3.5-flash", "127.0.0.1", "interactions")
    ]
    assert _attributes(metering, "interactions at Vertex AI", *keys) == [
        ("gcp.vertex_ai", "gemini-3.5-flash", "127.0.0.1", "interactions")
    ]


def test_the_file_of_a_batch_job_tells_of_the_job(metering):
    told = _attributes(metering, "batches from a file", ID, "tokentrace.billing.service_tier", "gen_ai.response.model")
    assert told == [("batches/123456", "batch", "gemini-2.5-flash")] * 3
    alone = _attributes(metering, "batches from a file async", ID, "gen_ai.response.model")
    assert alone == [("batches/123456", "gemini-2.5-flash")]


def test_the_answers_of_a_batch_job_tell_of_the_job(metering):
    told = _attributes(metering, "batches", ID, "tokentrace.billing.service_tier", "gen_ai.response.model")
    assert told == [("batches/123456", "batch", "gemini-2.5-flash")] * 2


def test_a_video_is_told_by_the_operation_that_makes_it(metering):
    told = _attributes(metering, "videos", ID, MODEL, PROVIDER)
    assert told == [(google_images.OPERATION, google_images.VEO, "gcp.vertex_ai")] * 3


@pytest.mark.parametrize(("name", "provider"), [("live", "gcp.vertex_ai"), ("live with searches", "gcp.gemini")])
def test_a_turn_of_a_live_session_knows_its_model(metering, name, provider):
    told = _attributes(metering, name, MODEL, PROVIDER)
    assert set(told) == {("gemini-live-2.5-flash-preview", provider)}


LOST = ("ServerDisconnectedError", "ClientOSError")
"""How aiohttp calls a lost connection: it depends on whether the socket was being read when its end was told."""

OVER_AIOHTTP = pytest.mark.skipif(
    find_spec("aiohttp") is None, reason="Without aiohttp the client speaks through httpx."
)


@OVER_AIOHTTP
@pytest.mark.parametrize("run", [google_content.generate_async, google_content.generate_async_streamed])
def test_what_the_client_sends_again_by_itself_is_another_attempt(metering, monkeypatch, run):
    answer = google_content.STREAM if run is google_content.generate_async_streamed else google_content.WHOLE
    # It waits for a second, and then as long as the dice say.
    monkeypatch.setattr(random, "randint", lambda *_: -0.95)
    with metering() as began:
        took = take(Quickstart("sent twice", run, (lost("reset"), answer), ()))
        (span,) = began.ours()
    first, second = (event.attributes for event in span.events)
    assert len(took.provider) == span.attributes["tokentrace.attempts"] == 2
    assert first["error.type"] in LOST
    assert first["tokentrace.attempt.billable"] == "unknown"
    assert second["http.response.status_code"] == 200
    assert second["tokentrace.attempt.wait"] >= 0.04
    assert span.attributes["tokentrace.usage.source"] == "reported"


@OVER_AIOHTTP
def test_what_the_client_was_told_to_send_again_is_another_attempt(metering):
    async def run(url):
        options = {"attempts": 3, "initial_delay": 0.001, "max_delay": 0.001, "jitter": 0.0}
        client = google_clients.gemini(url, retry_options=options)
        return (await client.aio.models.generate_content(model="gemini-3.8-flash", contents="2+2?")).text

    with metering() as began:
        take(Quickstart("told", run, (refused(503), lost("reset"), google_content.WHOLE), ()))
        (span,) = began.ours()
    tried = [
        (event.attributes.get("http.response.status_code"), event.attributes.get("error.type")) for event in span.events
    ]
    assert tried in [[(503, "ServerError"), (None, error), (200, None)] for error in LOST]
    assert span.attributes["tokentrace.throttle.wait"] > 0


@OVER_AIOHTTP
def test_what_others_send_through_aiohttp_meanwhile_is_no_attempt(metering):
    import aiohttp

    async def run(url):
        client = google_clients.gemini(url)
        opened = client._api_client._get_aiohttp_session

        async def renewed():
            async with aiohttp.ClientSession() as others, others.get(f"{url}/token") as response:
                assert response.status == 200
            return await opened()

        client._api_client._get_aiohttp_session = renewed
        return (await client.aio.models.generate_content(model="gemini-3.8-flash", contents="2+2?")).text

    with metering() as began:
        took = take(Quickstart("beside", run, (google_content.WHOLE,), ()))
        (span,) = began.ours()
    assert len(took.provider) == 2
    assert span.attributes["tokentrace.attempts"] == 1
