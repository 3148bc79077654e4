"""The quick starts of `openai` for what is asked for now and answered later: batches, runs, videos."""

from __future__ import annotations

import io
from typing import Any

from shapes.api import call, data
from shapes.provider import reply, stream

from quickstarts.quickstart import Quickstart

FILE = {"id": "file-1", "object": "file", "bytes": 2, "created_at": 1, "filename": "requests.jsonl", "purpose": "batch"}


def _usage(asked: int, cached: int, answered: int, thought: int) -> dict[str, Any]:
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": answered,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": asked + answered,
    }


def _batch(status: str, usage: Any) -> dict[str, Any]:
    return {
        "id": "batch_1",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "model": "gpt-5-nano-2025-08-07",
        "input_file_id": "file-1",
        "completion_window": "24h",
        "status": status,
        "output_file_id": "file-2",
        "created_at": 1,
        "request_counts": {"total": 2, "completed": 0, "failed": 0},
        "usage": usage,
    }


ZERO = _usage(0, 0, 0, 0)
TOGETHER = _usage(36, 12, 224, 128)
BATCHED = {"input_text": 24, "cache_read": 12, "output_text": 96, "output_reasoning": 128}
BATCHES = (
    reply(FILE),
    reply(_batch("validating", ZERO)),
    reply(_batch("in_progress", ZERO)),
    reply(_batch("completed", TOGETHER)),
    reply(_batch("completed", TOGETHER)),
    reply({"custom_id": "1"}),
)


def batch(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    file = client.files.create(file=io.BytesIO(b"{}"), purpose="batch")
    job = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    polls = [client.batches.retrieve(job.id) for _ in range(3)]
    return [job, *polls, client.files.content("file-2").text]


async def batch_cancelled(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    return await client.batches.cancel("batch_1")


def _run(status: str, usage: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "id": "run_1",
        "object": "thread.run",
        "created_at": 1,
        "assistant_id": "asst_1",
        "thread_id": "thread_1",
        "status": status,
        "model": "gpt-4o",
        "instructions": "",
        "tools": [],
        "metadata": {},
        "usage": usage,
    } | more


def _said(kind: str, content: Any) -> bytes:
    return b"event: " + kind.encode() + b"\n" + data(content)


SPENT = {
    "prompt_tokens": 381,
    "completion_tokens": 88,
    "total_tokens": 469,
    "prompt_token_details": {"cached_tokens": 128},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
RAN = {"input_text": 253, "cache_read": 128, "output_text": 88}
STEP = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1", "usage": {"prompt_tokens": 100}}


def run(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.beta.threads.runs.create_and_poll(thread_id="thread_1", assistant_id="asst_1")


async def run_streamed(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    events = await client.beta.threads.create_and_run(assistant_id="asst_1", stream=True)
    return [event async for event in events]


def run_with_tools(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    runs = client.beta.threads.runs
    asked = list(runs.create(thread_id="thread_1", assistant_id="asst_1", stream=True))
    outputs: Any = [{"tool_call_id": "call_1", "output": "57"}]
    told = runs.submit_tool_outputs(thread_id="thread_1", run_id="run_1", tool_outputs=outputs, stream=True)
    return [asked, list(told)]


def run_cancelled(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.beta.threads.runs.cancel("run_1", thread_id="thread_1")


def run_updated(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.beta.threads.runs.update("run_1", thread_id="thread_1", metadata={"user": "1"})


def run_with_tools_at_once(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    outputs: Any = [{"tool_call_id": "call_1", "output": "57"}]
    return client.beta.threads.runs.submit_tool_outputs("run_1", thread_id="thread_1", tool_outputs=outputs)


def _video(status: str) -> dict[str, Any]:
    return {
        "id": "video_1",
        "object": "video",
        "model": "sora-2",
        "status": status,
        "progress": 0,
        "created_at": 1,
        "size": "1280x720",
        "seconds": "8",
    }


def video(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.videos.create_and_poll(model="sora-2", prompt="A calico cat playing a piano on stage", seconds="8")


def video_extended(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    clip = ("cat.mp4", b"ftyp", "video/mp4")
    return client.videos.extend(video=clip, prompt="The cat bows", seconds="4")


def video_edited(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.videos.edit(video=("cat.mp4", b"ftyp", "video/mp4"), prompt="The cat wears a hat")


def video_remixed(url: str) -> Any:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url)
    return client.videos.remix("video_1", prompt="The cat plays the drums")


async def decision(url: str) -> Any:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="-", base_url=url)
    question: Any = {"type": "predicate", "instructions": "Is it spam?"}
    return await client.decisions.create(model="gpt-6-luna", input="You have won!", questions=[question])


DECIDED = {"answers": [{"type": "predicate", "name": None, "probability": 0.99}], "model": "gpt-6-luna"}


def _has(*names: str) -> Any:
    def has() -> bool:
        import openai

        found: Any = openai.OpenAI(api_key="-")
        for name in names:
            found = getattr(found, name, None)
        return found is not None

    return has


SOON = {"openai_poll_after_ms": "1"}
ASKED = call({}, source="missing")
WAITING = call({}, source="missing", scope="retrieve")
COUNTED = call(BATCHED, scope="retrieve")
READ = call(RAN, scope="retrieve")
QUEUED = call({}, meters={"video_seconds": 8}, billable="unknown")
EXTENDED = call({}, meters={"video_seconds": 4}, billable="unknown")
RUN = (reply(_run("queued")), reply(_run("in_progress"), **SOON), reply(_run("completed", SPENT)))
STREAMED = stream(
    (
        _said("thread.created", {"id": "thread_1", "object": "thread"}),
        _said("thread.run.created", _run("queued")),
        _said("thread.run.step.completed", STEP),
        _said("thread.run.completed", _run("completed", SPENT)),
        b"event: done\ndata: [DONE]\n\n",
    )
)
NEEDY = stream((_said("thread.run.requires_action", _run("requires_action")), b"event: done\ndata: [DONE]\n\n"))

QUICKSTARTS = (
    Quickstart("batches", batch, BATCHES, (ASKED, WAITING, COUNTED, COUNTED)),
    Quickstart("batches async cancelled", batch_cancelled, (reply(_batch("cancelled", TOGETHER)),), (COUNTED,)),
    Quickstart("runs", run, RUN, (ASKED, WAITING, call(RAN, scope="retrieve"))),
    Quickstart("runs async streamed", run_streamed, (STREAMED,), (call(RAN, end="complete"),)),
    Quickstart(
        "runs streamed with tools",
        run_with_tools,
        (NEEDY, STREAMED),
        (ASKED | {"end": "complete"}, call(RAN, scope="retrieve", end="complete")),
    ),
    Quickstart("runs updated", run_updated, (reply(_run("completed", SPENT)),), (READ,)),
    Quickstart("runs cancelled", run_cancelled, (reply(_run("cancelled", SPENT)),), (READ,)),
    Quickstart("runs with tools not streamed", run_with_tools_at_once, (reply(_run("in_progress")),), (WAITING,)),
    Quickstart(
        "videos",
        video,
        (reply(_video("queued")), reply(_video("in_progress"), **SOON), reply(_video("completed"))),
        (QUEUED,),
        needs=_has("videos"),
    ),
    Quickstart(
        "videos extended",
        video_extended,
        (reply(_video("queued") | {"seconds": "12"}),),
        (EXTENDED,),
        needs=_has("videos", "extend"),
    ),
    Quickstart("videos edited", video_edited, (reply(_video("queued")),), (QUEUED,), needs=_has("videos", "edit")),
    Quickstart("videos remixed", video_remixed, (reply(_video("queued")),), (QUEUED,), needs=_has("videos", "remix")),
    Quickstart(
        "decisions async",
        decision,
        (reply(DECIDED | {"usage": _usage(400, 256, 3, 0)}),),
        (call({"input_text": 144, "cache_read": 256, "output_text": 3}),),
        needs=_has("decisions"),
    ),
)
