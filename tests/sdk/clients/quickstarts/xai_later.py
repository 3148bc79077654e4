"""The quick starts of `xai-sdk` for what is asked for now and read later: batches, and videos that one polls for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from shapes.api import call

from quickstarts.peers.rpc import said

Case = tuple[str, Callable[[str], Any], tuple[Any, ...], tuple[Mapping[str, Any], ...], Callable[[], bool]]

CLIP = {"video": {"url": "https://host/1.mp4", "duration": 6}, "model": "grok-imagine-video"}
PENDING = {"status": "PENDING"}
MADE = {"status": "DONE", "response": CLIP | {"usage": {"cost_in_usd_ticks": "3000000000"}}}
LONGER = {"status": "DONE", "response": CLIP | {"video": {"url": "https://host/1.mp4", "duration": 10}}}
FAILED = {"status": "FAILED", "response": {"error": {"code": "internal_error", "message": "Oh."}}}
DRAWN = {"images": [{"url": "https://host/1.jpg"}], "model": "grok-imagine-image"}


def _results(answer: Any) -> Any:
    return {
        "results": [
            {"batch_request_id": "a", "response": {"completion_response": answer}},
            {"batch_request_id": "b", "response": {"image_response": DRAWN}},
            {"batch_request_id": "c", "response": {"video_response": CLIP}},
            {"batch_request_id": "d", "error": {"code": 3, "message": "No."}},
        ]
    }


TOKENS = {"input_text": 28, "cache_read": 12, "output_text": 9, "output_reasoning": 94}
READ = (
    call(TOKENS, [], scope="retrieve"),
    call({}, [], scope="retrieve", meters={"images": 1}),
    call({}, [], scope="retrieve", meters={"video_seconds": 6}),
    call({}, [], scope="aggregate", billable="false"),
)
STARTED, WAITING = call({}, [], source="missing"), call({}, [], source="missing", scope="retrieve")
WATCHED = call({}, [], scope="retrieve", meters={"video_seconds": 6})
ADDED = call({}, [], meters={"video_seconds": 4}, billable="unknown")


def _has_batches() -> bool:
    return find_spec("xai_sdk.batch") is not None


def _extends() -> bool:
    if find_spec("xai_sdk.video") is None:
        return False
    from xai_sdk.sync.video import Client

    return hasattr(Client, "extend_start")


def cases(client: Callable[[str], Any], answer: Any) -> Iterator[Case]:
    """Name, code, answers, what the spans say, and whether this release has it."""

    def batch(host: str) -> Any:
        from xai_sdk.chat import user

        xai = client(host)
        job = xai.batch.create("countries")
        chat = xai.chat.create(model="grok-4", messages=[user("What is 2 + 2?")], batch_request_id="a")
        xai.batch.add(batch_id=job.batch_id, batch_requests=[chat])
        page = xai.batch.list_batch_results(job.batch_id)
        return [result.batch_request_id for result in page.succeeded]

    async def batch_async(host: str) -> Any:
        from xai_sdk import AsyncClient

        page = await AsyncClient(api_key="-", api_host=host).batch.list_batch_results("batch-1")
        return [result.has_error for result in page.results]

    def video(host: str) -> Any:
        videos = client(host).video
        started = videos.start("A cat in a tree", "grok-imagine-video", duration=6)
        polls = [videos.get(started.request_id) for _ in range(3)]
        return [poll.response.url for poll in polls]

    def video_failed(host: str) -> Any:
        return client(host).video.get("r1").response.error.code

    async def video_extended(host: str) -> Any:
        from xai_sdk import AsyncClient

        videos = AsyncClient(api_key="-", api_host=host).video
        longer = await videos.extend_start("It jumps", "grok-imagine-video", "https://host/1.mp4", duration=4)
        return (await videos.get(longer.request_id)).response.video.duration

    made, results = said({"request_id": "r1"}), said(_results(answer))
    asked = (said({"batch_id": "batch-1"}), said({}), results)
    yield "batch", batch, asked, READ, _has_batches
    yield "batch async", batch_async, (results,), READ, _has_batches
    polled = (made, said(PENDING), said(MADE), said(MADE))
    yield "video polled", video, polled, (STARTED, WAITING, WATCHED, WATCHED), _extends
    yield "video failed", video_failed, (said(FAILED),), (WAITING | {"error": "internal_error"},), _extends
    longer = call({}, [], scope="retrieve", meters={"video_seconds": 10})
    yield "video extended by hand async", video_extended, (made, said(LONGER)), (ADDED, longer), _extends
