"""How much was written and asked that nobody has reported. For the delivery thread alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokentrace.estimation.families import BARE, family, framing
from tokentrace.estimation.inputs import Count
from tokentrace.estimation.reasoners import is_silent
from tokentrace.estimation.tokenizers import Tokenizer, tokenizer
from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import Piece
from tokentrace.usage.reading import CALL, TEXT, THOUGHT, Format, Reading, Said

if TYPE_CHECKING:
    from tokentrace.estimation.missing import Asked, Kept, Wanted

_LEAST_SHARE = 0.2
"""Reasoning that would be less than this share of the output cannot be told from the error of the rest."""

_ALOUD = re.compile(r"<think>(?P<thought>.*?)(?:</think>|$)", re.DOTALL)


class Counting:
    """Counts for one call: the facts that its format takes for what was not reported, and how far each may be off."""

    def __init__(self, wanted: Wanted, call: Asked, fmt: Format, before: Usage, seen: Reading) -> None:
        model, kin = call.model, family(call.model)
        self._wanted = wanted
        self._kin = kin
        self._model = model
        self._before = before
        self._seen = seen
        self._tokenizer: Tokenizer = tokenizer(kin.encoding)
        self._framing = BARE if fmt.name in _BARE else framing(model, call.provider, fmt.name)
        self._is_silent = is_silent(model)
        self._scale = 1.0
        self._counts_ahead = fmt.name in _AHEAD
        self.method = self._tokenizer.method if kin.factor == 1 else f"{self._tokenizer.method}*{kin.factor:g}"
        self.errors: dict[str, float] = {}
        """By count: half the width of what it may be, relative to it; absent where nobody can say."""
        self.is_derived = False
        """The reasoning was shared out by its own text."""
        self._sized: tuple[float, float] | None = None

    def facts(self, said: Said, kept: Kept, prompt: Sequence[Piece]) -> dict[str, Any]:
        """What counting needs, by the keys of `context`."""
        # What was left out is taken to be like what was kept.
        scale = 1 + kept.left_out / kept.size if kept.size else 1.0
        self._scale = scale
        told = self._output(said) if self._wanted.output or self._wanted.reasoning else {}
        if prompt and (asked := self._input(prompt)):
            if said.is_cut:
                # What a tool found that runs at the provider was read as well.
                self.errors.pop("input", None)
            told["counted_input_tokens"] = asked
        return told

    def delivered(self, said: Said, after: Usage) -> dict[str, int]:
        """By bucket, how much of the output had come; a bucket that is not among them stays whole."""
        if said.is_cut:
            return {}
        calls, texts, thoughts = _sorted(said)
        written, thought = self._sizes(said)
        shown, billed = round(written + self._kin.call * len(calls)), after.buckets.get("output_text", 0)
        if shown and not self._seen.complete and not self._counts_ahead:
            # A provider that counts along with its text has counted what came with it.
            shown = max(shown, self._before.buckets.get("output_text", 0))
        came = {"output_text": shown if after.output is None else min(shown, billed)}
        # What was thought for something that came is not lost with the rest of it.
        if texts or calls or said.is_veiled or (thoughts and self._kin.hides):
            return came
        return came | {"output_reasoning": min(round(thought), after.reasoning or 0)}

    def _sizes(self, said: Said) -> tuple[float, float]:
        """Tokens of the answer and of the reasoning that can be read."""
        if self._sized is None:
            calls, texts, thoughts = _sorted(said)
            unit = self._kin.factor * self._scale
            self._sized = unit * self._count([*texts, *calls]), unit * self._count(thoughts)
        return self._sized

    def _output(self, said: Said) -> dict[str, Any]:
        calls, texts, thoughts = _sorted(said)
        kin = self._kin
        written, thought = self._sizes(said)
        shown = written + kin.call * len(calls)
        is_cut_off = not _CUT_OFF.isdisjoint(map(str.lower, self._seen.finish.values()))
        if not (texts or calls or thoughts) and not (self._wanted.reasoning and (said.is_veiled or is_cut_off)):
            return {}
        # What ends an answer is counted with it, unless it was cut off.
        shown += kin.start if self._seen.complete and not is_cut_off else 0
        slack = (
            kin.slack
            + self._tokenizer.slack
            + kin.call_slack * len(calls)
            + (kin.spread + self._tokenizer.error) * written
        )
        if len(calls) > 1:
            shown += _BESIDE
            slack += _BESIDE
        is_hidden = said.is_veiled or said.is_cut or (kin.hides and bool(thoughts))
        if self._wanted.reasoning:
            return self._split(said, shown, 0.0 if kin.hides else thought, slack)
        if thought and not kin.hides:
            self.errors["reasoning"] = (3 + (kin.spread + self._tokenizer.error) * thought) / thought
            slack += (kin.spread + self._tokenizer.error) * thought
        else:
            thought = 0.0
        if not is_hidden and not self._is_silent:
            self.errors["output"] = slack / max(1.0, shown + thought)
        found = {"visible_output_tokens": round(shown)}
        return found | {"thinking_text_tokens": round(thought)} if round(thought) else found

    def _split(self, said: Said, shown: float, thought: float, slack: float) -> dict[str, Any]:
        """How the output that was reported divides."""
        billed = self._before.output or 0
        if said.is_cut:
            return {**_THOUGHT}
        if thought and not said.is_veiled:
            # Both texts by one tokenizer: its error cancels, and only what stands beside the texts is uncertain.
            share = thought / (shown + thought)
            self.is_derived = True
            self.errors["reasoning"] = (3 + slack * share) / max(1.0, billed * share) + _UNEVEN
            return {"visible_output_tokens": round(shown), "thinking_text_tokens": round(thought), **_THOUGHT}
        hidden = billed - shown
        if hidden <= _LEAST_SHARE * billed or slack >= hidden:
            return {**_THOUGHT}
        self.errors["reasoning"] = slack / hidden + _UNSEEN
        return {"visible_output_tokens": round(shown), **_THOUGHT}

    def _input(self, prompt: Sequence[Piece]) -> int:
        count = Count(self._tokenizer, self._model, self._framing)
        count.prompt(prompt, thinks=self._seen.visibility is not None)
        if count.slack is not None:
            self.errors["input"] = count.slack / max(1.0, count.tokens)
        return max(0, round(count.tokens))

    def _count(self, texts: Sequence[str]) -> int:
        return sum(map(self._tokenizer.tokens, texts))


_CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_length", "incomplete"})

_BESIDE = 9
"""Tokens that some models take for several calls beside each other, and others do not."""

_BARE = frozenset({"completions", "generation", "embeddings", "cohere.embeddings", "ollama.embeddings"})
"""Formats whose prompts are no conversations."""

_AHEAD = frozenset({"messages", "invoke"})
"""Formats that count the first tokens of an answer before they come."""

_THOUGHT = {"has_thinking_block": True}
_UNEVEN = 0.15
"""Servers do not agree whether the marks around reasoning belong to it."""

_UNSEEN = 0.03
"""Some of what is out of sight is billed as the answer."""


def _sorted(said: Said) -> tuple[list[str], list[str], list[str]]:
    """The calls, the texts and the readable reasoning of an answer."""
    texts, aloud = _apart(said.texts(TEXT))
    return said.texts(CALL), texts, said.texts(THOUGHT) + aloud


def _apart(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts without what a model thinks aloud in them, and that."""
    visible = [_ALOUD.sub("", text) for text in texts]
    thoughts = [found["thought"] for text in texts for found in _ALOUD.finditer(text)]
    return [text for text in visible if text], thoughts
