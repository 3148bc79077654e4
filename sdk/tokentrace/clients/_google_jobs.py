"""What `google-genai` makes in the background: batch jobs and videos, and the files with the answers of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from tokentrace.clients._google import request
from tokentrace.integration import EVERY, Call, Request, Seam
from tokentrace.usage.reading import Reading, ask, dig, number, text
from tokentrace.wire import batch, veo

_BATCHES = "google.genai.batches"
_MODELS = "google.genai.models"
_KEPT = 4096
_RESULTS = "files/batch-"
"""How the files begin that have the answers of the job of the same name."""

Kept = TypeVar("Kept")


class _Notes(Generic[Kept]):
    """What one call tells of another: the latest few thousand."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def note(self, key: str | None, kept: Kept) -> None:
        if key is None:
            return
        self._kept[key] = kept
        if len(self._kept) > _KEPT:
            self._kept.pop(next(iter(self._kept)), None)

    def find(self, key: str | None) -> Kept | None:
        return None if key is None else self._kept.get(key)


_asked: _Notes[tuple[str | None, int]] = _Notes()
"""Model and seconds of each video, by the operation that makes them: it does not repeat them."""

_jobs: _Notes[str] = _Notes()
"""The job, by the file with its answers."""


def _film(call: Call) -> Request:
    config = call.kwargs.get("config")
    model, seconds = text(call.kwargs.get("model")), number(ask(config, "durationSeconds"))

    def read(part: Any, seen: Reading) -> None:
        veo.read(part, seen)
        if seconds is not None:
            _asked.note(seen.response_id, (model, seconds))

    facts = {"video_seconds": seconds, "videos_asked": number(ask(config, "numberOfVideos")) or 1}
    fmt = replace(veo.FORMAT, read=read)
    return request(call, "video_generation", fmt, model, reads_body=False, facts=facts)


def _watch(call: Call) -> Request | None:
    """The question how far videos are, where it is known how long they are to be."""
    found = _asked.find(text(dig(call.arg(0, "operation"), "name")))
    if found is None:
        return None
    model, seconds = found
    facts = {"video_seconds": seconds}
    return request(call, "video_generation", veo.FORMAT, model, scope="retrieve", reads_body=False, facts=facts)


def _submit(call: Call) -> Request:
    return request(call, "batch", batch.FORMAT, text(call.kwargs.get("model")))


def _collect(call: Call) -> Request:
    def read(part: Any, seen: Reading) -> None:
        batch.read(part, seen)
        if seen.response_id and (file := batch.answers_into(part)):
            _jobs.note(file, seen.response_id)

    return request(call, "batch", replace(batch.FORMAT, read=read), scope="retrieve")


def _download(call: Call) -> Request | None:
    """The answers of a batch job; all other files are free."""
    file = call.kwargs.get("file")
    name = text(file) or text(dig(file, "name")) or ""
    job = _jobs.find(name) or (f"batches/{name.removeprefix(_RESULTS)}" if name.startswith(_RESULTS) else None)
    if job is None:
        return None

    def read(part: Mapping[str, Any], seen: Reading) -> None:
        # What could not be answered is free, and no error of the job.
        if "response" in part:
            batch.read(part, seen)
        seen.response_id = job

    client = call.instance._api_client
    # Downloads go past the function that makes all other requests.
    is_sent_below = type(call.instance).__name__ == "AsyncFiles" and client._use_aiohttp()
    http = client if is_sent_below else EVERY
    return request(call, "batch", replace(batch.LINES, read=read), scope="retrieve", http=http)


SEAMS = tuple(
    Seam(module, f"{kind}{name}", describe, awaited=kind == "Async")
    for module, name, describe in (
        (_BATCHES, "Batches._create", _submit),
        (_BATCHES, "Batches._create_embeddings", _submit),
        (_BATCHES, "Batches.get", _collect),
        ("google.genai.files", "Files.download", _download),
        (_MODELS, "Models._generate_videos", _film),
        ("google.genai.operations", "Operations.get", _watch),
    )
    for kind in ("", "Async")
)
