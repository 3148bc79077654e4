"""What `xai-sdk` asks for now and reads later: batches, and videos that the application polls for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tokentrace.integration import Call, Describe, Request
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Format, Reading, dig, text
from tokentrace.wire import xai


def _results(page: Any) -> Iterable[Any]:
    return dig(page, "_proto", "results") or ()


def _read_result(batch: str, result: Any, seen: Reading) -> None:
    """What a batch has answered to one of its requests; nothing where that has failed."""
    for _, answer in result.response.ListFields():
        xai.read(answer, seen)
        # Of images and videos only the batch knows which they are.
        seen.response_id = seen.response_id or f"{batch} {result.batch_request_id}"
    seen.tier = "batch"


def _count_result(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    counted = xai.count(seen, provider, context)
    return counted._replace(flags={**counted.flags, "batch": True})


def _batch(call: Call) -> Request:
    read = partial(_read_result, text(call.arg(0, "batch_id")) or "")
    results = Format("results", read, _count_result, xai.FORMAT.marks, lists=True, answers=_results)
    return Request("x_ai", "batch", None, results, scope="retrieve")


def _read_start(started: Any, seen: Reading) -> None:
    seen.response_id = text(dig(started, "request_id"))
    seen.complete = True


def _count_start(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    counted = xai.count(seen, provider, context)
    # One that fails later is free.
    return counted._replace(flags={**counted.flags, "billable": "unknown"})


_START = Format("xai", _read_start, _count_start, xai.FORMAT.marks)


def _start(call: Call) -> Request:
    return Request("x_ai", "video_generation", text(call.arg(1, "model")), _START)


def _start_longer(call: Call) -> Request:
    # The clip that is made of it tells its whole length.
    added = call.kwargs.get("duration")
    return _start(call)._replace(facts=NOTHING if added is None else {"added_seconds": added})


def _read_video(request: str | None, deferred: Any, seen: Reading) -> None:
    """A video, as far as it has come."""
    seen.response_id, seen.complete = request, True
    if deferred.HasField("response"):
        xai.read(deferred.response, seen)
        if code := text(dig(deferred.response, "error", "code")):
            seen.error = code


def _video(call: Call) -> Request:
    read = partial(_read_video, text(call.arg(0, "request_id")))
    return Request("x_ai", "video_generation", None, replace(xai.FORMAT, read=read), scope="retrieve")


DESCRIBED: Mapping[str, Describe] = {
    "batch Client.list_batch_results": _batch,
    "video Client.start": _start,
    "video Client.extend_start": _start_longer,
    "video Client.get": _video,
}
"""By module and name."""
