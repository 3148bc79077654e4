"""A provider on loopback that plays a script in whatever dialect it is asked, and knows what it has billed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from quickstarts.loopback import http
from shapes.provider import AT_ONCE, Answer, Provider, refused, reply, stream

from frameworks.dialects import chat, embeddings, gemini, messages, responses
from frameworks.turn import Tokens, Turn

Choose = Callable[[Any], Turn]
"""The answer to a request, by its body: for models that are asked at the same time."""


class Dialect(Protocol):
    """A module of `frameworks.dialects`."""

    def whole(self, turn: Turn, number: int, asked: Mapping[str, Any]) -> Any:
        """The body of a complete answer."""

    def events(self, turn: Turn, number: int, asked: Mapping[str, Any]) -> tuple[bytes, ...]:
        """The events of a streamed one."""


DIALECTS: Mapping[str, Dialect] = {
    "/chat/completions": chat,
    "/responses": responses,
    "/messages": messages,
    "/embeddings": embeddings,
    ":generateContent": gemini,
    ":streamGenerateContent": gemini,
}
"""By the end of the path that is asked."""


@dataclass(slots=True)
class Script(Provider):
    """Plays its turns in order, or those that it is told to choose."""

    answers: Sequence[Answer] = ()
    turns: Sequence[Turn] | Choose = ()
    begun: int = 0
    """How many requests others have answered before: whoever keeps ids by which to know answers finds none twice."""
    billed: list[Tokens] = field(default_factory=list)
    """What every request was billed that was answered."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: Any) -> Answer:
        """The next turn, as the one who asks expects it."""
        path = path.partition("?")[0]
        with self.lock:
            self.asked.append((method, path, body))
            number = len(self.asked)
        turn = self.turns(body) if callable(self.turns) else self.turns[number - 1]
        if turn.status != 200:
            return refused(turn.status, **AT_ONCE)
        with self.lock:
            self.billed.append(turn.tokens)
        dialect = next(dialect for end, dialect in DIALECTS.items() if path.endswith(end))
        number += self.begun
        if body.get("stream") or path.endswith(":streamGenerateContent"):
            return stream(dialect.events(turn, number, body))
        return reply(dialect.whole(turn, number, body))


@contextmanager
def playing(*turns: Turn, choose: Choose | None = None, begun: int = 0) -> Iterator[tuple[Script, str]]:
    """A script that is played, and the address to ask at."""
    script = Script(turns=choose or turns, begun=begun)
    with http(script) as url:
        yield script, url
