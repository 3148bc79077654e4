"""The quick starts of the batch jobs of `mistralai`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from shapes.api import call
from shapes.provider import Answer, reply

from quickstarts.quickstart import Quickstart

CHAT = {
    "id": "cmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "mistral-small-latest",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Comté."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 16, "completion_tokens": 34, "total_tokens": 50},
}
READ = {
    "model": "mistral-ocr-latest",
    "pages": [{"index": 0, "markdown": "# Title"}],
    "usage_info": {"pages_processed": 29, "doc_size_bytes": 3_002_783},
}
REFUSED = {"object": "error", "message": "No.", "type": "invalid_request_error", "code": "1"}


def _line(name: str, body: Any, status: int = 200) -> dict[str, Any]:
    return {
        "id": f"batch-1-{name}",
        "custom_id": name,
        "response": {"status_code": status, "body": body},
        "error": None,
    }


LINES = [_line("0", CHAT), _line("1", READ), _line("2", REFUSED, 422)]
JOB = {
    "id": "job-1",
    "object": "batch",
    "input_files": ["file-1"],
    "endpoint": "/v1/chat/completions",
    "errors": [],
    "status": "QUEUED",
    "created_at": 1,
    "total_requests": 3,
    "completed_requests": 0,
    "succeeded_requests": 0,
    "failed_requests": 0,
}
OVER = JOB | {"status": "SUCCESS", "output_file": "file-2"}
OUTPUT = Answer(
    headers={"content-type": "application/octet-stream"},
    parts=tuple(json.dumps(line).encode() + b"\n" for line in LINES),
)


def _batch(url: str) -> Any:
    from quickstarts.mistral import client

    mistral = client(url)
    job = mistral.batch.jobs.create(input_files=["file-1"], model="mistral-small-latest", endpoint=JOB["endpoint"])
    job = mistral.batch.jobs.get(job_id=job.id)
    return mistral.files.download(file_id=job.output_file).read()


async def _batch_async(url: str) -> Any:
    from quickstarts.mistral import client

    output = await client(url).files.download_async(file_id="file-2")
    return await output.aread()


def _batch_inline(url: str) -> Any:
    from quickstarts.mistral import client

    return client(url).batch.jobs.get(job_id="job-1").outputs


def _carries_outputs() -> bool:
    from quickstarts.mistral import has

    if not has("batch")():
        return False
    try:
        from mistralai.client.models import BatchJob
    except ImportError:
        return False
    return "outputs" in BatchJob.model_fields


LIST = call({}, scope="aggregate", billable="false")
ANSWERS = (
    call({"input_text": 16, "output_text": 34}, [], scope="retrieve"),
    call({}, [], scope="retrieve", meters={"pages": 29}),
)


def quickstarts(has: Callable[..., Callable[[], bool]]) -> tuple[Quickstart, ...]:
    """Batches whose answers are read from a file, or of the job itself."""
    read = (*ANSWERS, LIST | {"end": "complete"})
    asked = (reply(JOB), reply(OVER), OUTPUT)
    return (
        Quickstart("batch", _batch, asked, (LIST, *read), needs=has("batch")),
        Quickstart("batch async", _batch_async, (OUTPUT,), read, needs=has("batch")),
        Quickstart(
            "batch inline", _batch_inline, (reply(OVER | {"outputs": LINES}),), (*ANSWERS, LIST), needs=_carries_outputs
        ),
    )
