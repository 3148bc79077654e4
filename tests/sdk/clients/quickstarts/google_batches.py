"""The quick starts of batch jobs of `google-genai`."""

from __future__ import annotations

from typing import Any

from shapes.api import call
from shapes.provider import reply

from quickstarts.quickstart import Quickstart

MODEL = "models/gemini-2.5-flash"
NAME = "batches/123456"
PENDING = {"name": NAME, "metadata": {"name": NAME, "model": MODEL, "state": "BATCH_STATE_PENDING"}}


def _answer(**counts: int) -> dict[str, Any]:
    content = {"role": "model", "parts": [{"text": "Because."}]}
    said = {"content": content, "finishReason": "STOP", "index": 0}
    return {"response": {"candidates": [said], "usageMetadata": counts, "modelVersion": "gemini-2.5-flash"}}


# 8 and 12 of input; 5 and 6 of output, and 9 of thoughts beside the second.
ANSWERS = [
    _answer(promptTokenCount=8, candidatesTokenCount=5, totalTokenCount=13),
    _answer(promptTokenCount=12, candidatesTokenCount=6, thoughtsTokenCount=9, totalTokenCount=27),
]
DONE = {
    "name": NAME,
    "metadata": {"name": NAME, "model": MODEL, "state": "BATCH_STATE_SUCCEEDED"},
    "done": True,
    "response": {"inlinedResponses": {"inlinedResponses": ANSWERS}},
}
ASKED = [{"contents": [{"parts": [{"text": "Why is the sky blue?"}], "role": "user"}]}]


def _client(url: str) -> Any:
    from google import genai

    return genai.Client(api_key="-", http_options={"base_url": url})


def batches(url: str) -> Any:
    client = _client(url)
    job = client.batches.create(model="gemini-2.5-flash", src=ASKED)
    return client.batches.get(name=job.name)


async def batches_async(url: str) -> Any:
    client = _client(url)
    job = await client.aio.batches.create(model="gemini-2.5-flash", src=ASKED)
    return await client.aio.batches.get(name=job.name)


CALLS = (
    call({}, source="missing"),
    call({"input_text": 20, "output_text": 11, "output_reasoning": 9}, scope="retrieve"),
)

QUICKSTARTS = (
    Quickstart("batches", batches, (reply(PENDING), reply(DONE)), CALLS),
    Quickstart("batches async", batches_async, (reply(PENDING), reply(DONE)), CALLS),
)
