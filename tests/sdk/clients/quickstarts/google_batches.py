"""The quick starts of batch jobs and caches of `google-genai`."""

from __future__ import annotations

import inspect
import json
import tempfile
from pathlib import Path
from typing import Any

from shapes.api import call
from shapes.provider import Answer, reply

from quickstarts.google_clients import gemini, vertex
from quickstarts.quickstart import Quickstart

MODEL = "models/gemini-2.5-flash"
NAME = "batches/123456"
FILE = "files/batch-123456"


def _job(state: str, output: dict[str, Any] | None = None) -> Answer:
    told = {"name": NAME, "model": MODEL, "state": state}
    if output is None:
        return reply({"name": NAME, "metadata": told})
    return reply({"name": NAME, "metadata": told | {"output": output}, "done": True, "response": output})


def _answer(**counts: int) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": "Because."}]}
    said = {"content": content, "finishReason": "STOP", "index": 0}
    return {"response": {"candidates": [said], "usageMetadata": counts, "modelVersion": "gemini-2.5-flash"}}


# 8 and 12 of input; 5 and 6 of output, and 9 of thoughts beside the second.
ANSWERS = [
    _answer(promptTokenCount=8, candidatesTokenCount=5, totalTokenCount=13),
    _answer(promptTokenCount=12, candidatesTokenCount=6, thoughtsTokenCount=9, totalTokenCount=27),
]
REFUSED = {"error": {"code": 3, "message": "Oh."}}
PENDING = _job("BATCH_STATE_PENDING")
DONE = _job("BATCH_STATE_SUCCEEDED", {"inlinedResponses": {"inlinedResponses": [*ANSWERS, REFUSED]}})
FILED = _job("BATCH_STATE_SUCCEEDED", {"responsesFile": FILE})
VECTORS = [{"response": {"embedding": {"values": [0.5]}, "tokenCount": str(count)}} for count in (4, 3)]
EMBEDDED = _job("BATCH_STATE_SUCCEEDED", {"inlinedEmbedContentResponses": {"inlinedResponses": VECTORS}})
LINES = Answer(
    200,
    {"content-type": "application/octet-stream"},
    tuple(json.dumps({"key": f"k-{n}"} | one).encode() + b"\n" for n, one in enumerate((REFUSED, *ANSWERS))),
)
ASKED = [{"contents": [{"parts": [{"text": "Why is the sky blue?"}], "role": "user"}]}]
AT_VERTEX = "projects/p/locations/us-central1/batchPredictionJobs/1"


def batches(url: str) -> Any:
    client = gemini(url)
    job = client.batches.create(model="gemini-2.5-flash", src=ASKED)
    return client.batches.get(name=job.name)


async def batches_async(url: str) -> Any:
    client = gemini(url)
    job = await client.aio.batches.create(model="gemini-2.5-flash", src=ASKED)
    return await client.aio.batches.get(name=job.name)


def batches_from_a_file(url: str) -> Any:
    client = gemini(url)
    job = client.batches.create(model="gemini-2.5-flash", src="files/asked")
    job = client.batches.get(name=job.name)
    return client.files.download(file=job.dest.file_name).decode().splitlines()


async def batches_from_a_file_async(url: str) -> Any:
    client = gemini(url)
    return await client.aio.files.download(file=FILE)


def batches_onto_the_disk(url: str) -> Any:
    client = gemini(url)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.jsonl"
        client.files.download(file=FILE, destination=path)
        return path.read_text()


def files(url: str) -> Any:
    client = gemini(url)
    return client.files.download(file="files/clip")


def batches_of_embeddings(url: str) -> Any:
    client = gemini(url)
    asked = {"inlined_requests": {"contents": [{"parts": [{"text": "Why?"}]}, {"parts": [{"text": "How?"}]}]}}
    job = client.batches.create_embeddings(model="gemini-embedding-001", src=asked)
    return client.batches.get(name=job.name)


def batches_at_vertex(url: str) -> Any:
    client = vertex(url)
    # A job that is not named is named after the time.
    config = {"dest": "gs://b/told", "display_name": "job"}
    return client.batches.create(model="gemini-2.5-flash", src="gs://b/asked.jsonl", config=config)


CACHED = {
    "name": "cachedContents/c-1",
    "model": MODEL,
    "createTime": "2026-01-01T00:00:00.123456789Z",
    "updateTime": "2026-01-01T00:00:00.123456789Z",
    "expireTime": "2026-01-01T00:30:00.123456789Z",
    "usageMetadata": {"totalTokenCount": 4000},
}


def _cached(client: Any) -> Any:
    config = {"contents": [{"role": "user", "parts": [{"text": "A long book."}]}], "ttl": "1800s"}
    return client.caches.create(model="gemini-2.5-flash", config=config)


def caches(url: str) -> Any:
    client = gemini(url)
    return _cached(client)


async def caches_async(url: str) -> Any:
    client = vertex(url)
    return await _cached(client.aio)


def _lands_on_the_disk() -> bool:
    from google.genai.files import Files

    return "destination" in inspect.signature(Files.download).parameters


UNTOLD = call({}, source="missing")
TOLD = call({"input_text": 20, "output_text": 11, "output_reasoning": 9}, scope="retrieve")
STREAMED = TOLD | {"end": "complete"}
IN_A_FILE = UNTOLD | {"scope": "retrieve"}
WRITTEN = {"cache_write_unknown": 4000}
HELD = {"cache_token_hours": 2000}

QUICKSTARTS = (
    Quickstart("batches", batches, (PENDING, DONE), (UNTOLD, TOLD)),
    Quickstart("batches async", batches_async, (PENDING, DONE), (UNTOLD, TOLD)),
    Quickstart("batches from a file", batches_from_a_file, (PENDING, FILED, LINES), (UNTOLD, IN_A_FILE, TOLD)),
    Quickstart("batches from a file async", batches_from_a_file_async, (LINES,), (TOLD,)),
    Quickstart("batches onto the disk", batches_onto_the_disk, (LINES,), (STREAMED,), needs=_lands_on_the_disk),
    Quickstart("files", files, (LINES,), ()),
    Quickstart(
        "batches of embeddings",
        batches_of_embeddings,
        (PENDING, EMBEDDED),
        (UNTOLD, call({"input_text": 7}, scope="retrieve")),
    ),
    Quickstart("batches at Vertex AI", batches_at_vertex, (reply({"name": AT_VERTEX}),), (UNTOLD,)),
    Quickstart("caches", caches, (reply(CACHED),), (call(WRITTEN, meters=HELD, billable="unknown"),)),
    Quickstart("caches at Vertex AI async", caches_async, (reply(CACHED),), (call(WRITTEN, meters=HELD),)),
)
