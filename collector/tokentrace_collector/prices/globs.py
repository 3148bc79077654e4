"""Globs over names, compared: whether two of them can mean the same thing, and how much each of them says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache

_TOKENS = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)


def meet(one: str, other: str) -> bool:
    """Whether a name may exist that both match; two sets of characters are taken to have one in common."""
    left, right = _tokens(one), _tokens(other)

    @cache
    def from_here(i: int, j: int) -> bool:
        if i < len(left) and left[i] == "*":
            return from_here(i + 1, j) or (j < len(right) and from_here(i, j + 1))
        if j < len(right) and right[j] == "*":
            return from_here(i, j + 1) or (i < len(left) and from_here(i + 1, j))
        if i == len(left) or j == len(right):
            return i == len(left) and j == len(right)
        return _share(left[i], right[j]) and from_here(i + 1, j + 1)

    return from_here(0, 0)


def letters(glob: str) -> int:
    """How many characters of a name it fixes."""
    return sum(not _is_open(each) for each in _tokens(glob))


def _tokens(glob: str) -> Sequence[str]:
    found: list[str] = _TOKENS.findall(glob)
    return found


def _is_open(token: str) -> bool:
    return token in ("*", "?") or len(token) > 1


def _share(one: str, other: str) -> bool:
    if _is_open(one) and _is_open(other):
        return True
    return fnmatchcase(other, one) or fnmatchcase(one, other)
