"""What the input of a call was made of: its reported tokens, shared out over the pieces of its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokentrace import attributes as name
from tokentrace.estimation.prefixes import Prefixes
from tokentrace.estimation.runs import Runs, weight
from tokentrace.guard import log
from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import EVERYTHING, KINDS, MEDIA, RESULTS, USER, Piece, Unattributable
from tokentrace.usage.reading import Format

CACHEABLE = 1024
"""Tokens that a prefix has at least for any provider to keep it."""

_SHOWN = frozenset(bucket for bucket in name.INPUT_BUCKETS if bucket.endswith(("_image", "_audio", "_video")))
"""Buckets of input that is no text, cached or not."""

_FETCHED = "tool_use_prompt"
_UNSENT = _SHOWN | {_FETCHED}
"""Buckets of which the texts of a request tell nothing."""

_FETCHING = frozenset({"web_search", "x_search", "web_fetch", "file_search", "code_execution"})
"""Meters of tools that the provider runs, and whose results the model reads in the same call."""

_UNTOLD = 256
"""Bytes by which a piece is weighed beside its neighbours where nothing tells its own."""

_KEYS = {kind: name.INPUT + kind for kind in KINDS}


def pieces(fmt: Format, body: Any) -> Sequence[Piece]:
    """The pieces of what is sent, before the application may change it; none where they cannot be told."""
    if fmt.compose is None:
        return ()
    try:
        return fmt.compose(body)
    except Unattributable as unknown:
        log.debug("The composition of a prompt is not known: %s", unknown)
        return ()


def told(
    prompt: Sequence[Piece], usage: Usage, total: int | None, recipient: tuple[str, str | None], sent: Prefixes
) -> dict[str, Any]:
    """Of an input of so many tokens: those of each kind, the kinds in prompt order, and what this recipient had before.

    Nothing where the input was not reported, or cannot be told apart.
    """
    if not total or not prompt:
        return {}
    runs = Runs(prompt, recipient)
    if (shares := shared(runs, usage, total)) is None:
        return {}
    found = kinds(runs, shares)
    ever, lately = sent.repeated(runs.beginnings)
    found[name.PREFIX_REPEATED] = tokens = leading(prompt, runs, shares, ever)
    if lately != ever:
        tokens = leading(prompt, runs, shares, lately)
    found[name.PREFIX_CACHEABLE] = tokens if tokens >= CACHEABLE else 0
    return found


def kinds(runs: Runs, shares: Sequence[int]) -> dict[str, Any]:
    """Tokens by kind, and the kinds in prompt order."""
    found: dict[str, Any] = {}
    segments: list[str] = []
    for kind, tokens in zip(runs.kinds, shares, strict=True):
        key = _KEYS[kind]
        found[key] = found.get(key, 0) + tokens
        if tokens:
            segments.append(f"{kind}:{tokens}")
    found[name.INPUT_SEGMENTS] = tuple(segments)
    return found


def leading(prompt: Sequence[Piece], runs: Runs, shares: Sequence[int], pieces: int) -> int:
    """Tokens of so many pieces at the beginning of a prompt."""
    tokens = first = 0
    for end, of_run in zip(runs.ends, shares, strict=True):
        if first >= pieces:
            break
        if end > pieces:
            sizes = [weight(piece) or _UNTOLD for piece in prompt[first:end]]
            return tokens + of_run * sum(sizes[: pieces - first]) // (sum(sizes) or 1)
        tokens += of_run
        first = end
    return tokens


def shared(runs: Runs, usage: Usage, total: int) -> list[int] | None:
    """All of the input, shared out over the runs of a prompt; None where it cannot be told apart.

    What is in no piece of the request, and was counted all the same, is a run more.
    """
    buckets, meters = usage.buckets, usage.meters
    if not meters and _UNSENT.isdisjoint(buckets):
        return runs.counted(total, 0)
    shown, fetched = sum(buckets.get(bucket, 0) for bucket in _SHOWN), buckets.get(_FETCHED, 0)
    if shown and MEDIA not in runs.kinds:
        # It lies beside the body, as files do, or in what the provider has kept; the question comes after it.
        runs.insert(runs.kinds.index(USER) if USER in runs.kinds else 0, MEDIA, 0)
    if fetched or not _FETCHING.isdisjoint(meters):
        runs.insert(len(runs.kinds), RESULTS, 0 if fetched else EVERYTHING)
    counted = runs.counted(total - shown - fetched, shown)
    if fetched and counted is not None:
        counted[-1] += fetched
    return counted
