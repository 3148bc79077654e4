"""Batch jobs: one count for a whole job, or the answers of the job one by one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import NOTHING, Format, Reading, ask, dig, items, mapping, number, overlaid, text
from tokentrace.wire import chat, inclusive, shape
from tokentrace.wire.rules import fault

_GOOGLES = frozenset({"usageMetadata", "candidates", "embedding"})
"""Fields by which a line of Google's is known."""

_OVER = frozenset({"completed", "expired", "cancelled", "failed"})
_ENDS = tuple(f"JOB_STATE_{how}" for how in ("COMPLETED", "FAILED", "CANCELLED", "EXPIRED", "EARLY_STOPPED"))
"""States in which a job of Fireworks counts no more."""


def read(part: Any, seen: Reading) -> None:
    """A job, or one line of its results."""
    part = mapping(part)
    named = text(part.get("model")) or text(dig(part, "metadata", "model"))
    seen.model = named.removeprefix("models/") if named else seen.model
    seen.response_id = text(part.get("id")) or text(part.get("name")) or seen.response_id
    seen.error = fault(part) or seen.error
    seen.tier = "batch"
    # A job of OpenAI that is not over says zero.
    if part.get("object") != "batch" or part.get("status") in _OVER:
        seen.usage = overlaid(seen.usage, mapping(part.get("usage")))
    if part.get("state") in _ENDS:
        seen.usage = overlaid(seen.usage, _progress(mapping(part.get("jobProgress"))))
    answers = seen.facts.setdefault("answers", {})
    for name, answer in _answers(part):
        # Keyed, because a job repeats its answers each time it is asked; read, because they may be many and long.
        spoken, told = shape.of(answer) or chat.FORMAT, Reading()
        spoken.read(answer, told)
        answers[name] = spoken, told
        seen.model = seen.model or told.model
    seen.complete = True


def _progress(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a job of Fireworks took, under the names of Chat Completions."""
    cached = {"cached_tokens": told.get("cachedInputTokenCount")}
    return {
        "prompt_tokens": told.get("inputTokens"),
        "completion_tokens": told.get("outputTokens"),
        "prompt_tokens_details": cached,
    }


def _answers(part: Mapping[str, Any]) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """The whole answers that a job or a line of its results carries, of OpenAI, Anthropic, Google and xAI."""
    if line := mapping(dig(part, "response", "body") or dig(part, "result", "message")):
        yield text(part.get("custom_id")) or text(line.get("id")), line
    elif _GOOGLES.intersection(line := mapping(part.get("response"))):
        yield text(part.get("key")) or text(line.get("responseId")), _embedded(line)
    for place, one in enumerate(_inlined(part)):
        yield place, _embedded(mapping(dig(one, "response")))
    for place, one in enumerate(items(part.get("results"))):
        answer = mapping(dig(one, "batch_result", "response", "chat_get_completion"))
        yield text(dig(one, "batch_request_id")) or place, answer


def _destinations(job: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Where a job of Google has its answers: the API says it twice, and google-genai once more."""
    yield from (mapping(dig(job, "metadata", "output")), mapping(job.get("response")), mapping(job.get("dest")))


def _inlined(job: Mapping[str, Any]) -> Sequence[Any]:
    for output in _destinations(job):
        for kind in ("inlinedResponses", "inlinedEmbedContentResponses"):
            told = ask(output, kind)
            if found := items(told) or items(dig(told, "inlinedResponses")):
                return found
    return ()


def _embedded(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer as it is; one of embeddings has its count outside of any usage."""
    tokens = ask(answer, "tokenCount")
    return answer if tokens is None else {"usageMetadata": {"promptTokenCount": tokens}}


def answers_into(job: Any) -> str | None:
    """The file that a job of Google answers into."""
    return next((file for output in _destinations(mapping(job)) if (file := text(ask(output, "responsesFile")))), None)


def count(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """What the whole job is billed."""
    if not (answers := mapping(seen.facts.get("answers"))):
        counts = inclusive.tally(seen.usage)
        counts.flags["batch"] = True
        return counts.settle(seen, context)
    return _together([spoken.count(told, provider, NOTHING) for spoken, told in answers.values()])


def _together(usages: Sequence[Usage]) -> Usage:
    buckets, meters = Counter[str](), Counter[str]()
    flags: dict[str, Any] = {}
    for usage in usages:
        buckets.update(usage.buckets)
        meters.update(usage.meters)
        flags.update(usage.flags)
    costs = [usage.flags["reported_cost_usd"] for usage in usages if "reported_cost_usd" in usage.flags]
    if costs:
        flags["reported_cost_usd"] = sum(costs)
    counted = [usage for usage in usages if usage.buckets or usage.meters]
    if counted:
        # An answer that failed is not billed, and does not make the others unknown.
        flags.pop("usage_source", None)
        flags.pop("billable", None)
    return Usage(
        buckets=dict(buckets),
        meters=dict(meters),
        flags={**flags, "batch": True},
        sub=tuple(part for usage in usages for part in usage.sub),
        zeros=frozenset[str]().union(*(usage.zeros for usage in usages)).difference(buckets),
    )


def read_result(part: Any, seen: Reading) -> None:
    """One line of a job's results, alone: an answer like any other, at the price of a batch."""
    for _, answer in _answers(mapping(part)):
        spoken = seen.facts["spoken"] = shape.of(answer) or chat.FORMAT
        spoken.read(answer, seen)
        # What has no id of its own, such as a transcript, is told by that of its line.
        seen.response_id = seen.response_id or text(mapping(part).get("id"))
        seen.complete = True
    if (status := number(dig(part, "response", "status_code"))) and status >= HTTPStatus.BAD_REQUEST:
        seen.error = seen.error or str(status)
    seen.tier = "batch"


def count_result(seen: Reading, provider: str, context: Mapping[str, Any]) -> Usage:
    """What the one answer is billed."""
    spoken: Format = seen.facts.get("spoken") or chat.FORMAT
    counted = spoken.count(seen, provider, context)
    return counted._replace(flags={**counted.flags, "batch": True})


def _outputs(part: Any) -> Iterable[Any]:
    """The lines that a job of Mistral carries itself, where it was asked to; else the one that the part is."""
    return items(mapping(part).get("outputs")) or (part,)


FORMAT = Format("batch", read, count, chat.FORMAT.marks)
RESULTS = Format("results", read_result, count_result, re.compile(rb"custom_id"), lists=True, answers=_outputs)
LINES = Format("batch", read, count, re.compile(rb'"response"'), lines=True)
