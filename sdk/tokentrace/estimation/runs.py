"""A prompt as runs of neighbouring pieces of one kind, and how tokens are shared out over them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub

from tokentrace.usage.prompt import MEDIA, SHORT, Piece, mark

PER_TOKEN = 4
"""Bytes of a text that make a token."""

_SAMPLE = 1024
_LEAST = 64
"""Tokens of the smallest image."""


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


class Runs:
    """Lists side by side, one element for each run: a call makes them, and no more objects than that."""

    __slots__ = ("beginnings", "ends", "kinds", "mosts", "sizes")

    def __init__(self, prompt: Sequence[Piece], recipient: object = None) -> None:
        """One walk over a prompt, for each call waits for it."""
        self.kinds: list[str] = []
        self.ends: list[int] = []
        """How many pieces there are up to the end of each."""
        self.sizes: list[int] = []
        """Bytes that tell of tokens."""
        self.mosts: list[int] = []
        """Tokens that there may be beside."""
        self.beginnings: list[int] = []
        """Hashes of the first piece, of the first two, and so on, up to one that nothing tells from others."""
        so_far, beginnings, untold = hash(recipient), self.beginnings, None
        kind, size, most = prompt[0][0], 0, 0
        for piece in prompt:
            of_piece, content = piece
            if of_piece != kind:
                self._add(kind, len(beginnings), size, most)
                kind, size, most = of_piece, 0, 0
            # Nearly all pieces are texts; a function for each would take as long as all of the rest.
            if isinstance(content, str):
                length = len(content)
                size += length if content.isascii() else weight(piece)
                # The kind is no part of it: what was the question is history the next time.
                so_far = hash((so_far, content if length <= SHORT else mark(content)))
            else:
                size += content.size
                most += content.most
                so_far = hash((so_far, content.mark))
                if not content.mark and untold is None:
                    untold = len(beginnings)
            beginnings.append(so_far)
        self._add(kind, len(beginnings), size, most)
        if untold is not None:
            del beginnings[untold:]

    def _add(self, kind: str, end: int, size: int, most: int) -> None:
        self.kinds.append(kind)
        self.ends.append(end)
        self.sizes.append(size)
        self.mosts.append(most)

    def insert(self, place: int, kind: str, most: int) -> None:
        """What is in no piece of the request."""
        self.kinds.insert(place, kind)
        self.ends.insert(place, self.ends[place - 1] if place else 0)
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
        counts = map(sub, self.ends, (0, *self.ends))
        places = [pieces or 1 if is_medium else 0 for is_medium, pieces in zip(media, counts, strict=True)]
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
    if missing == 1:
        counts[rests.index(max(rests))] += 1
    elif missing:
        # Sorted once: a conversation about many images has hundreds of runs, and as many remainders to go by.
        for place in sorted(range(len(weights)), key=rests.__getitem__, reverse=True)[:missing]:
            counts[place] += 1
    return counts
