"""Which part of a conversation is the question, and which is only sent again."""

from __future__ import annotations

from collections.abc import Sequence

from tokentrace.usage.prompt import HISTORY, RESULTS, RETRIEVED, SYSTEM, USER


def begin(kinds: Sequence[str]) -> int:
    """The place of the first message of the last turn of the user: of the last messages of his that stand together."""
    place = len(kinds) - 1
    while place >= 0 and kinds[place] != USER:
        place -= 1
    while place > 0 and kinds[place - 1] in (USER, SYSTEM):
        place -= 1
    return max(place, 0)


def placed(kind: str, *, is_current: bool) -> str:
    """What a message or a part of one is: before the last turn of the user all is history that somebody has said."""
    return kind if is_current or kind not in _PASSING else HISTORY


_PASSING = frozenset({USER, RESULTS, RETRIEVED})
