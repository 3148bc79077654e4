"""How many tokens a prompt takes, and how far that may be off. For the delivery thread alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tokentrace.estimation import definitions, pictures
from tokentrace.estimation.families import Framing, family
from tokentrace.estimation.runs import PER_TOKEN
from tokentrace.estimation.tokenizers import Tokenizer
from tokentrace.usage.prompt import EVERYTHING, HISTORY, MEDIA, SYSTEM, TOOLS, USER, Other, Piece, unchanged

_OPENING, _CLOSING = "namespace functions {\n\n", "} // namespace functions"

_PROVIDED = 700, 750
"""Tokens that the definition of a tool may take which the provider has, and how far that may be off."""

_LOOSE = 1.5
"""What a definition may take at most that may be read or not, as a part of its JSON."""

_UNREAD = 0.8
"""Tokens of what has been changed since, as a part of those of a text as long, and how far that may be off."""
_UNREAD_SLACK = 0.4

_SHAPED = 0.65
"""Tokens of the shape of an answer, as a part of those of its JSON, and how far that may be off."""
_SHAPED_SLACK = 0.15

_DATA_SLACK = 0.3
"""The same of other data, which is read as it is or in a form of its own."""


class Count:
    """Tokens of a prompt, added up piece by piece, and by how many they may be off."""

    __slots__ = ("_errors", "_frame", "_guessed", "_is_known", "_kin", "_model", "_tokenizer", "tokens")

    def __init__(self, tokenizer: Tokenizer, model: str, frame: Framing) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._kin = family(model)
        self._frame = frame
        self._guessed = tokenizer.slack
        self._errors: dict[str, float] = {}
        self._is_known = True
        self.tokens = 0.0

    @property
    def slack(self) -> float | None:
        """By how many tokens it may be off; None where nobody can say.

        Where a number is wrong it is wrong for every piece in the same way, so that these add up; but one number
        knows nothing of the other. What the tokenizer is off comes on top.
        """
        return self._frame.doubt * math.hypot(*self._errors.values()) + self._guessed if self._is_known else None

    def prompt(self, pieces: Sequence[Piece], *, thinks: bool) -> None:
        """All of it."""
        frame = self._frame
        self._add("start", frame.start, frame.slack)
        if any(kind == TOOLS for kind, _ in pieces):
            self._add("tools", frame.tools, frame.tools_slack)
        if thinks:
            self._add("thinking", frame.thinking, frame.thinking_slack)
        for kind, content in pieces:
            if isinstance(content, str):
                self._text(content)
                if content and (kind != SYSTEM or frame.frames_system):
                    self._add("message", frame.message, frame.message_slack)
            elif content.size:
                self._structure(kind, content)
            else:
                self._unseen(kind, content)

    def _add(self, what: str, tokens: float, slack: float) -> None:
        self.tokens += tokens
        self._errors[what] = self._errors.get(what, 0.0) + slack

    def _between(self, what: str, least: float, most: float) -> None:
        self._add(what, (least + most) / 2, (most - least) / 2)

    def _text(self, text: str, share: float = 1, looseness: float = 0, what: str = "text") -> None:
        tokens = self._kin.factor * self._tokenizer.tokens(text)
        self._add("family", share * tokens, self._kin.spread * share * tokens)
        self._guessed += self._tokenizer.error * share * tokens
        self._add(what, 0, looseness * tokens)

    def _structure(self, kind: str, content: Other) -> None:
        value = unchanged(content)
        try:
            if value is not None:
                self._read(kind, value)
                return
        except (RecursionError, TypeError, ValueError):
            # It is deeper than JSON can be, or has keys that are no texts.
            pass
        tokens = self._kin.factor * content.size / PER_TOKEN
        self._add("changed", _UNREAD * tokens, _UNREAD_SLACK * tokens)

    def _read(self, kind: str, value: Any) -> None:
        frame = self._frame
        if kind == TOOLS:
            self._tools(value)
        elif kind == SYSTEM:
            self._add("shape", frame.shape, frame.shape_slack)
            self._text(definitions.compact(value), _SHAPED, _SHAPED_SLACK, "shape")
        elif kind in _MOVED:
            calls, text = definitions.called(value)
            self._text(text, frame.called, frame.called_slack, "called")
            self._add("call", calls * (frame.call + frame.message), calls * (frame.call_slack + frame.message_slack))
        else:
            self._text(definitions.compact(value), 1, _DATA_SLACK, "data")

    def _tools(self, value: Any) -> None:
        frame, defined = self._frame, list[str]()
        for tool in definitions.tools(value):
            if definitions.is_provided(tool):
                self._add("provided", *_PROVIDED)
            elif definitions.is_loose(tool):
                tokens = self._kin.factor * self._tokenizer.tokens(definitions.compact(tool))
                self._between("loose", 0, _LOOSE * tokens)
            else:
                defined.append((definitions.typescript if frame.speaks_typescript else definitions.compact)(tool))
        if frame.speaks_typescript and defined:
            defined = [_OPENING, *defined, _CLOSING]
        text = "".join(defined)
        self._text(text, frame.defined, frame.defined_slack, "defined")
        # So many marks are guessed worse than sentences are.
        self._guessed += self._tokenizer.error * self._tokenizer.tokens(text)

    def _unseen(self, kind: str, content: Other) -> None:
        """What its bytes do not tell of: it takes up to so many, and of what the provider has kept nobody knows."""
        most = content.most
        if most >= EVERYTHING:
            self._is_known = False
        elif kind == MEDIA:
            self._between("media", *(self._pictured(content.value) or (0, most)))
        else:
            self._add("sealed", self._frame.sealed * most, self._frame.sealed_slack * most)

    def _pictured(self, value: Any) -> tuple[float, float] | None:
        source, detail = value or (None, None)
        if not isinstance(source, (str, bytes)):
            return None
        return pictures.tokens(source, detail if isinstance(detail, str) else None, self._model)


_MOVED = frozenset({HISTORY, "tool_results", USER})
"""Kinds of pieces whose structures are calls of tools, and what came of them."""
