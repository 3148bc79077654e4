"""What providers do not report, estimated from the texts that passed: after the call, in the delivery thread alone.

An estimate says what it is: its method, and how far it may be off. It stands in no `gen_ai.*` attribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan

from tokentrace import attributes as name, composition, record
from tokentrace.body import Body, read_result
from tokentrace.families import BARE, family, framing, is_silent, reasons
from tokentrace.inputs import Count
from tokentrace.metrics import Metrics
from tokentrace.prompt import Piece, held
from tokentrace.reading import CALL, TEXT, THOUGHT, Format, Reading, Said, items
from tokentrace.tokenizers import Tokenizer, tokenizer
from tokentrace.usage import Usage

LIMIT = 4 * 1024 * 1024
"""Bytes of one answer that are kept for counting; the rest is taken to be like them."""

MEASURED = 63
"""The parts are measured whenever none of these bits is set in their number."""

_OBJECT = 1024
"""What a part counts for that is no bytes, but an object of a library."""

_LEAST_SHARE = 0.2
"""Reasoning that would be less than this share of the output cannot be told from the error of the rest."""

_EVERY = re.compile(b"")
_ALOUD = re.compile(r"<think>(?P<thought>.*?)(?:</think>|$)", re.DOTALL)


class Kept:
    """References to the parts of an answer, as long as nobody has reported what they took."""

    __slots__ = ("_measured", "left_out", "parts", "size")

    def __init__(self) -> None:
        self.parts: list[Any] = []
        """A part is appended to these, and every so often they are measured: that is all that a chunk costs."""
        self.size = 0
        self.left_out = 0
        self._measured = 0

    def measure(self) -> None:
        """Let go of what has come last, where there is more than may be kept."""
        new = self.parts[self._measured :]
        size = sum(len(part) if isinstance(part, bytes) else _OBJECT for part in new)
        if self.size + size > LIMIT:
            del self.parts[self._measured :]
            self.left_out += size
            return
        self.size += size
        self._measured = len(self.parts)


class Wanted(NamedTuple):
    """Which counts nobody has reported."""

    input: bool
    output: bool
    reasoning: bool


def wanted(usage: Usage, seen: Reading, model: str, fmt: Format, *, has_prompt: bool) -> Wanted | None:
    """What is to be estimated; None where all was reported that there can be."""
    if usage.flags.get("billable") is False or usage.sub:
        return None
    output, is_partial = usage.output, usage.flags.get("usage_source") == "partial_stream"
    thought = usage.reasoning or None
    # Some servers show the reasoning and report it as zero.
    untold = thought is None and (usage.reasoning is None or seen.visibility == "readable")
    reasoning = bool(output) and not is_partial and untold and usage.flags.get("reasoning_source") != "derived"
    found = Wanted(
        has_prompt and usage.input is None and not usage.meters,
        fmt.say is not None and (output is None or is_partial),
        reasoning and (seen.visibility is not None or reasons(model)),
    )
    return found if any(found) else None


class Answer(NamedTuple):
    """What was kept of an answer, and how it is read."""

    format: Format
    kept: Kept
    framing: Mapping[str, str] | None
    """The headers of a body that came in pieces; None where each part is whole."""
    is_ours: bool
    """Whether the parts are in the format as they come from the wire."""


class Asked(NamedTuple):
    """What is known of a call beside its answer."""

    provider: str
    model: str
    facts: Mapping[str, Any]
    prompt: Sequence[Piece]
    owed: str | None
    """Whether its attempts are billed, where that is not certain."""


class Estimate:
    """Completes the record of one call."""

    __slots__ = ("_answer", "_call", "_metrics", "_prompt", "_seen", "_wanted")

    def __init__(self, wanted: Wanted, seen: Reading, answer: Answer, call: Asked, metrics: Metrics) -> None:
        self._wanted = wanted
        self._seen = seen
        self._answer = answer
        self._call = call
        self._prompt = call.prompt if wanted.input else ()
        self._metrics = metrics

    @property
    def size(self) -> int:
        """Bytes that wait to be counted."""
        self._answer.kept.measure()
        return self._answer.kept.size + sum(held(content) for _, content in self._prompt)

    def drop(self) -> None:
        """Let go of all texts: there are more than may wait."""
        self._answer, self._prompt = self._answer._replace(kept=Kept()), ()

    def __call__(self, span: ReadableSpan) -> ReadableSpan:
        """A copy of the span that says what was not reported; the span itself where nothing can be said."""
        call, count = self._call, self._answer.format.count
        before = count(self._seen, call.provider, call.facts)
        counting = _Counting(self._wanted, call, self._answer.format, before, self._seen)
        told = counting.facts(said(self._answer), self._answer.kept, self._prompt)
        after = count(self._seen, call.provider, {**call.facts, **told})
        was = record.attributes(self._seen, before, call.provider, call.facts)
        attributes = _amended(span.attributes or {}, was, self._found(before, after, counting), call.owed)
        self._metrics.count(attributes)
        return _copied(span, attributes)

    def _found(self, before: Usage, after: Usage, counting: _Counting) -> dict[str, Any]:
        found = record.attributes(self._seen, after, self._call.provider, self._call.facts)
        if not self._seen.complete:
            found[name.USAGE_FLAGS] = [*found.get(name.USAGE_FLAGS, ()), "provider_may_bill_more"]
            found |= _risk(self._call)
        sides = [
            side
            for side, is_new in (
                ("input", before.input is None and after.input is not None),
                ("output", after.output is not None and after.output != before.output),
                ("reasoning", after.flags.get("reasoning_source") in {"estimated", "derived"}),
            )
            if is_new
        ]
        record.withdraw(found, sides)
        if counting.is_derived and "reasoning" in sides:
            found[name.REASONING_SOURCE] = "derived"
        if not sides:
            return found
        found[name.ESTIMATE_COUNTS] = sides
        found[name.ESTIMATE_METHOD] = counting.method
        for side in sides:
            if (error := counting.errors.get(side)) is not None:
                found[name.ESTIMATE_ERROR + side] = round(error, 4)
        if "input" in sides and (shares := composition.shared(self._prompt, after)):
            found |= composition.kinds(shares)
        return found


def said(answer: Answer) -> Said:
    """The texts of an answer."""
    told = Said()
    say = answer.format.say
    if say is None:
        return told

    def read(part: Any, _seen: Reading) -> None:
        say(part, told)

    telling, seen = replace(answer.format, read=read, marks=_EVERY), Reading()
    if answer.framing is None:
        for part in answer.kept.parts:
            read_result(part, telling, seen, as_it_is=not answer.is_ours)
        return told
    body = Body(answer.framing, telling, seen)
    for part in answer.kept.parts:
        body.feed(part)
    body.end(is_whole=True)
    return told


def _risk(call: Asked) -> dict[str, Any]:
    """What an answer that was left may cost at most, where it is billed as if it had been read to its end."""
    if call.provider != "aws.bedrock":
        return {}
    limit = call.facts.get("output_limit")
    return {name.BILLING_RISK: "full_generation"} | ({name.OUTPUT_LIMIT: limit} if limit else {})


class _Counting:
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
        self.method = self._tokenizer.method if kin.factor == 1 else f"{self._tokenizer.method}*{kin.factor:g}"
        self.errors: dict[str, float] = {}
        """By count: half the width of what it may be, relative to it; absent where nobody can say."""
        self.is_derived = False
        """The reasoning was shared out by its own text."""

    def facts(self, said: Said, kept: Kept, prompt: Sequence[Piece]) -> dict[str, Any]:
        """What counting needs, by the keys of `context`."""
        # What was left out is taken to be like what was kept.
        scale = 1 + kept.left_out / kept.size if kept.size else 1.0
        told = self._output(said, scale) if self._wanted.output or self._wanted.reasoning else {}
        if prompt and (asked := self._input(prompt)):
            if said.is_cut:
                # What a tool found that runs at the provider was read as well.
                self.errors.pop("input", None)
            told["counted_input_tokens"] = asked
        return told

    def _output(self, said: Said, scale: float) -> dict[str, Any]:
        calls = said.texts(CALL)
        texts, aloud = _apart(said.texts(TEXT))
        thoughts = said.texts(THOUGHT) + aloud
        kin = self._kin
        written = kin.factor * scale * self._count([*texts, *calls])
        thought = kin.factor * scale * self._count(thoughts)
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

_THOUGHT = {"has_thinking_block": True}
_UNEVEN = 0.15
"""Servers do not agree whether the marks around reasoning belong to it."""

_UNSEEN = 0.03
"""Some of what is out of sight is billed as the answer."""


def _apart(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts without what a model thinks aloud in them, and that."""
    visible = [_ALOUD.sub("", text) for text in texts]
    thoughts = [found["thought"] for text in texts for found in _ALOUD.finditer(text)]
    return [text for text in visible if text], thoughts


def _amended(
    said: Mapping[str, Any], before: Mapping[str, Any], found: Mapping[str, Any], owed: str | None
) -> dict[str, Any]:
    """What a span said, with what has changed since: others may have put something better where nothing has."""
    kept = {key: value for key, value in said.items() if key not in before or key in found}
    amended = {**kept, **{key: value for key, value in found.items() if before.get(key) != value}}
    if owed is not None:
        amended[name.BILLABLE] = owed
    return amended


def _copied(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        # As they are on every span that a provider has made.
        attributes={
            key: tuple(items(value)) if isinstance(value, list) else value for key, value in attributes.items()
        },
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
