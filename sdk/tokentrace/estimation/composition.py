"""What the input of a call was made of: its reported tokens, shared out over the pieces of its prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from tokentrace import attributes as name
from tokentrace.estimation.prefixes import Repeated
from tokentrace.guard import log
from tokentrace.integration import Request
from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import EVERYTHING, KINDS, MEDIA, RESULTS, USER, Piece, Unattributable

PER_TOKEN = 4
"""Bytes of a text that make a token."""

CACHEABLE = 1024
"""Tokens that a prefix has at least for any provider to keep it."""

_SHOWN = frozenset(bucket for bucket in name.INPUT_BUCKETS if bucket.endswith(("_image", "_audio", "_video")))
"""Buckets of input that is no text, cached or not."""

_FETCHED = "tool_use_prompt"
_UNSENT = _SHOWN | {_FETCHED}
"""Buckets of which the texts of a request tell nothing."""

_FETCHING = frozenset({"web_search", "x_search", "web_fetch", "file_search", "code_execution"})
"""Meters of tools that the provider runs, and whose results the model reads in the same call."""

_SAMPLE = 1024
_UNTOLD = 256
"""Bytes by which a piece is weighed beside its neighbours where nothing tells its own."""
_LEAST = 64
"""Tokens of the smallest image."""

_KEYS = {kind: name.INPUT + kind for kind in KINDS}


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


def weight(piece: Piece) -> int:
    """The bytes of a piece, nought where nothing tells.

    Of a long text that is not ASCII, as many as its beginning has to the character.
    """
    content = piece[1]
    if not isinstance(content, str):
        return content.size
    size = len(content)
    if content.isascii():
        return size
    sample = content[:_SAMPLE]
    return len(sample.encode("utf-8", "surrogatepass")) * size // len(sample)


def kinds(shares: Sequence[Share]) -> dict[str, Any]:
    """Tokens by kind, and the kinds in prompt order."""
    found: dict[str, Any] = {}
    segments: list[str] = []
    for kind, _, tokens in shares:
        key = _KEYS[kind]
        found[key] = found.get(key, 0) + tokens
        if tokens:
            segments.append(f"{kind}:{tokens}")
    found[name.INPUT_SEGMENTS] = tuple(segments)
    return found


def attributes(prompt: Sequence[Piece], shares: Sequence[Share], repeated: Repeated) -> dict[str, Any]:
    """Tokens by kind, the kinds in prompt order, and how much of the input was sent before."""
    found = kinds(shares)
    found[name.PREFIX_REPEATED] = lately = leading(prompt, shares, repeated.ever)
    if repeated.lately != repeated.ever:
        lately = leading(prompt, shares, repeated.lately)
    found[name.PREFIX_CACHEABLE] = lately if lately >= CACHEABLE else 0
    return found


def leading(prompt: Sequence[Piece], shares: Sequence[Share], pieces: int) -> int:
    """Tokens of so many pieces at the beginning of a prompt."""
    tokens = first = 0
    for _, count, of_share in shares:
        left = pieces - first
        if left <= 0:
            break
        if count <= left:
            tokens += of_share
        else:
            sizes = [weight(piece) or _UNTOLD for piece in prompt[first : first + count]]
            tokens += of_share * sum(sizes[:left]) // (sum(sizes) or 1)
        first += count
    return tokens


def shared(prompt: Sequence[Piece], usage: Usage) -> list[Share]:
    """All of the reported input, shared out; nothing where it was not reported, or cannot be told apart."""
    total = usage.input
    if not total or not prompt:
        return []
    runs = _Runs(prompt)
    buckets = usage.buckets
    if not usage.meters and _UNSENT.isdisjoint(buckets):
        counted = runs.counted(total, 0)
    else:
        shown, fetched = sum(buckets.get(bucket, 0) for bucket in _SHOWN), buckets.get(_FETCHED, 0)
        if shown and MEDIA not in runs.kinds:
            # It lies beside the body, as files do, or in what the provider has kept; the question comes after it.
            runs.insert(runs.kinds.index(USER) if USER in runs.kinds else 0, MEDIA, 0)
        if fetched or not _FETCHING.isdisjoint(usage.meters):
            runs.insert(len(runs.kinds), RESULTS, 0 if fetched else EVERYTHING)
        counted = runs.counted(total - shown - fetched, shown)
        if fetched and counted is not None:
            counted[-1] += fetched
    return [] if counted is None else list(map(Share, runs.kinds, runs.pieces, counted))


_END: Piece = "", ""
"""Of a kind that no piece is."""


class _Runs:
    """Neighbouring pieces of one kind, run by run: lists side by side, for a call makes them, and no more of them."""

    __slots__ = ("kinds", "mosts", "pieces", "sizes")

    def __init__(self, prompt: Sequence[Piece]) -> None:
        self.kinds: list[str] = []
        self.pieces: list[int] = []
        self.sizes: list[int] = []
        """Bytes that tell of tokens."""
        self.mosts: list[int] = []
        """Tokens that there may be beside."""
        kind, count, size, most = prompt[0][0], 0, 0, 0
        for piece in (*prompt, _END):
            of_piece, content = piece
            if of_piece != kind:
                self.kinds.append(kind)
                self.pieces.append(count)
                self.sizes.append(size)
                self.mosts.append(most)
                kind, count, size, most = of_piece, 0, 0, 0
            count += 1
            # Nearly all pieces are texts; a function for each would take as long as all of the rest.
            if isinstance(content, str):
                size += len(content) if content.isascii() else weight(piece)
            else:
                size += content.size
                most += content.most

    def insert(self, place: int, kind: str, most: int) -> None:
        """What is in no piece of the request."""
        self.kinds.insert(place, kind)
        self.pieces.insert(place, 0)
        self.sizes.insert(place, 0)
        self.mosts.insert(place, most)

    def counted(self, rest: int, shown: int) -> list[int] | None:
        """Tokens by run: `shown` belong to the media, where the provider counts those apart; `rest` to all others."""
        if not shown and not any(self.mosts):
            return scaled(self.sizes, rest)
        media = [kind == MEDIA for kind in self.kinds]
        sizes = [0 if shown and is_medium else size for is_medium, size in zip(media, self.sizes, strict=True)]
        others = [0 if shown and is_medium else most for is_medium, most in zip(media, self.mosts, strict=True)]
        mosts = [min(most, rest) for most in others]
        size, most = sum(sizes), sum(mosts)
        least = sum(min(_LEAST, most) for is_medium, most in zip(media, others, strict=True) if is_medium)
        # What no length tells is what the lengths leave over.
        hidden = min(max(rest - -(-size // PER_TOKEN), least), most, rest) if size else rest
        places = [pieces or 1 if is_medium else 0 for is_medium, pieces in zip(media, self.pieces, strict=True)]
        if shown and not size and not most:
            # Nothing else was sent: what is no medium wraps it.
            return scaled(places, shown + rest)
        shares = scaled(sizes, rest - hidden), scaled(mosts, hidden), scaled(places, shown)
        told = [each for each in shares if each is not None]
        return [sum(each) for each in zip(*told, strict=True)] if len(told) == len(shares) else None


def scaled(weights: Sequence[int], total: int) -> list[int] | None:
    """Integers in proportion to the weights, whose sum is the total: the largest remainders are rounded up."""
    whole = sum(weights)
    if not whole:
        return None if total else [0] * len(weights)
    counts: list[int] = []
    rests: list[int] = []
    for weight in weights:
        count, rest = divmod(weight * total, whole)
        counts.append(count)
        rests.append(rest)
    missing = total - sum(counts)
    if not missing:
        return counts
    if missing == 1:
        counts[rests.index(max(rests))] += 1
        return counts
    for place in sorted(range(len(weights)), key=rests.__getitem__, reverse=True)[:missing]:
        counts[place] += 1
    return counts
