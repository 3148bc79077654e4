"""What the input of a call was made of: its reported tokens, shared out over the pieces of its prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tokentrace import attributes as name
from tokentrace.guard import log
from tokentrace.integration import Request
from tokentrace.prompt import EVERYTHING, MEDIA, RESULTS, Other, Piece, Unattributable
from tokentrace.usage import Usage

PER_TOKEN = 4
"""Bytes of a text that make a token."""

_SHOWN = tuple(bucket for bucket in name.INPUT_BUCKETS if bucket.endswith(("_image", "_audio", "_video")))
"""Buckets of input that is no text, cached or not."""

_FETCHING = frozenset({"web_search", "x_search", "web_fetch", "file_search", "code_execution"})
"""Meters of tools that the provider runs, and whose results the model reads in the same call."""

_SAMPLE = 1024
_LEAST = 64
"""Tokens of the smallest image."""

Weigh = Callable[[Piece], int]
"""Weighs a piece in bytes, of which `PER_TOKEN` make a token; nought where nothing tells."""


class Share(NamedTuple):
    """Neighbouring pieces of one kind, and how many tokens of the input they are."""

    kind: str
    pieces: int
    tokens: int


def pieces(request: Request) -> Sequence[Piece]:
    """The pieces of what is sent, before the application may change it; none where they cannot be told."""
    compose = request.format.compose
    if compose is None or request.prompt is None or request.scope != "call":
        return ()
    try:
        return compose(request.prompt)
    except Unattributable as unknown:
        log.debug("The composition of a prompt is not known: %s", unknown)
        return ()


def attributes(shares: Sequence[Share]) -> dict[str, Any]:
    """Tokens by kind, and the kinds in prompt order."""
    if not shares:
        return {}
    found: dict[str, Any] = {}
    for share in shares:
        key = name.INPUT + share.kind
        found[key] = found.get(key, 0) + share.tokens
    found[name.INPUT_SEGMENTS] = [f"{share.kind}:{share.tokens}" for share in shares if share.tokens]
    return found


def weight(piece: Piece) -> int:
    """The bytes of a piece; of a long text that is not ASCII, as many as its beginning has to the character."""
    content = piece[1]
    if not isinstance(content, str):
        return content.size
    size = len(content)
    if content.isascii():
        return size
    sample = content[:_SAMPLE]
    return len(sample.encode("utf-8", "surrogatepass")) * size // len(sample)


def shared(prompt: Sequence[Piece], usage: Usage, weigh: Weigh = weight) -> list[Share]:
    """All of the reported input, shared out; nothing where it was not reported, or cannot be told apart."""
    total = usage.input
    if not total or not prompt:
        return []
    runs = _runs(prompt, weigh)
    shown = sum(usage.buckets.get(bucket, 0) for bucket in _SHOWN)
    fetched = usage.buckets.get("tool_use_prompt", 0)
    if shown and not any(run.kind == MEDIA for run in runs):
        # Inside of what the provider has kept there may be some.
        place = next((place for place, run in enumerate(runs) if run.most >= EVERYTHING), None)
        if place is None:
            return []
        runs.insert(place, _Run(MEDIA, 0, 0, 1))
    if fetched or not _FETCHING.isdisjoint(usage.meters):
        runs.append(_Run(RESULTS, 0, 0, 0 if fetched else EVERYTHING))
    counted = _counted(runs, total - shown - fetched, shown)
    if counted is None:
        return []
    if fetched:
        counted[-1] += fetched
    return [Share(run.kind, run.pieces, tokens) for run, tokens in zip(runs, counted, strict=True)]


class _Run(NamedTuple):
    kind: str
    pieces: int
    size: int
    """Bytes that tell of tokens."""
    most: int
    """Tokens that there may be beside."""


def _runs(prompt: Sequence[Piece], weigh: Weigh) -> list[_Run]:
    runs: list[_Run] = []
    kind, count, size, most = prompt[0][0], 0, 0, 0
    for piece in prompt:
        if piece[0] != kind:
            runs.append(_Run(kind, count, size, most))
            kind, count, size, most = piece[0], 0, 0, 0
        count += 1
        size += weigh(piece)
        if isinstance(content := piece[1], Other):
            most += content.most
    runs.append(_Run(kind, count, size, most))
    return runs


def _counted(runs: Sequence[_Run], rest: int, shown: int) -> list[int] | None:
    """Tokens by run: `shown` belong to the media, where the provider counts those apart; `rest` to all others."""
    apart = [run.kind == MEDIA and shown > 0 for run in runs]
    sizes = [0 if media else run.size for run, media in zip(runs, apart, strict=True)]
    mosts = [0 if media else min(run.most, rest) for run, media in zip(runs, apart, strict=True)]
    size, most = sum(sizes), sum(mosts)
    if rest and not size and not most:
        return None
    least = sum(min(_LEAST, most) for run, most in zip(runs, mosts, strict=True) if run.kind == MEDIA)
    hidden = min(max(rest - -(-size // PER_TOKEN), least), most, rest) if size else rest
    return [
        told + untold + seen
        for told, untold, seen in zip(
            scaled(sizes, rest - hidden),
            scaled(mosts, hidden),
            scaled([run.pieces or 1 if media else 0 for run, media in zip(runs, apart, strict=True)], shown),
            strict=True,
        )
    ]


def scaled(weights: Sequence[int], total: int) -> list[int]:
    """Integers in proportion to the weights, whose sum is the total: the largest remainders are rounded up."""
    whole = sum(weights)
    if not total or not whole:
        return [0] * len(weights)
    counts = [weight * total // whole for weight in weights]
    if missing := total - sum(counts):
        for place in sorted(range(len(weights)), key=lambda each: -(weights[each] * total % whole))[:missing]:
            counts[place] += 1
    return counts
