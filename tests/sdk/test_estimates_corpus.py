"""Recorded answers whose counts are hidden: what is estimated of them, against what the provider reported.

The report is written to the terminal: per provider the error, and the half-width that the record states. The counts of a provider are
a fact; what no request and no answer shows cannot be estimated, and is listed.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any, NamedTuple

import pytest
import test_corpus_usage as corpus
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan

from tokentrace import attributes as name
from tokentrace.attributes import INPUT_BUCKETS, OUTPUT_BUCKETS
from tokentrace.estimation import missing
from tokentrace.estimation.missing import Answer, Asked, Kept, Missing
from tokentrace.metrics import Metrics
from tokentrace.providers.registry import NAMES
from tokentrace.usage import record
from tokentrace.usage.prompt import Unattributable
from tokentrace.usage.reading import Format, Reading
from tokentrace.wire import apis

NOBODY = Metrics(NoOpMeterProvider(), "0")

COUNTS = {
    "usage",
    "usageMetadata",
    "usage_metadata",
    "x_groq",
    "meta",
    "prompt_eval_count",
    "eval_count",
    "prompt_token_count",
    "generation_token_count",
    "amazon-bedrock-invocationMetrics",
}
"""Where answers have their counts."""

REASONING = {
    "completion_tokens_details",
    "completion_token_details",
    "output_tokens_details",
    "output_token_details",
    "reasoning_tokens",
}
"""Where they tell reasoning apart."""

UNSEEN = {
    "openai/chat/openai-web-search-tool#0": "a model that searches by itself",
    "openai/responses/multiple-agent-handoffs#0": "an agent of another kind has the conversation before",
    "openai/responses/multiple-agent-handoffs#1": "as above",
    "openai/responses/multiple-agent-handoffs#2": "as above",
    "openai/responses/openai-native-tool-search-round-trip#0": "tools that the provider loads by itself",
    "openai/responses/openai-native-tool-search-round-trip#1": "as above",
    "openai/responses/search-with-openai-gpt-5-2-searches-and-records-the-tool-call-items#1": "what a search has found",
    "pydantic-gateway/responses/instrument-langchain#1": "reasoning that the provider has kept",
    "venice/chat/prompt-typed-with-tool-call-roundtrip#0": "instructions of the provider's own",
    "venice/chat/prompt-typed-with-tool-call-roundtrip#1": "as above",
    "writer/chat/writer-async-metrics#0": "as above, and an answer that counts four times its text",
}
"""Exchanges whose counts have more in them than request and answer show, with the reason."""

pytestmark = pytest.mark.skipif(not corpus.ALL, reason="the corpus is not here: set TOKENTRACE_CORPUS to its directory")


class Case(NamedTuple):
    provider: str
    true: int
    estimated: int
    error: float | None
    """As the record states it; None where it says that nobody knows."""

    @property
    def is_within(self) -> bool:
        """Tokens are whole, so that half of one is no error."""
        return self.error is not None and abs(self.true - self.estimated) <= self.error * self.estimated + 0.5


@functools.cache
def requests() -> dict[str, tuple[Any, str]]:
    """Body and model of each request."""
    found = {}
    for row in json.loads(corpus.INDEX.read_text()):
        for number, exchange in enumerate(json.loads((corpus.CORPUS / row["file"]).read_text())["exchanges"]):
            body, url = exchange["request"].get("body"), exchange["request"]["url"].replace("%3A", ":")
            try:
                body = json.loads(body) if isinstance(body, str) else body
            except ValueError:
                body = None
            named = re.search(r"/models?/([^/:]+)", url)
            model = (body.get("model") if isinstance(body, dict) else None) or (named and named[1]) or ""
            found[f"{row['id']}#{number}"] = body, model
    return found


def hidden(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: hidden(inner, names) for key, inner in value.items() if key not in names}
    return [hidden(inner, names) for inner in value] if isinstance(value, list) else value


def undivided(part: Any) -> Any:
    """A part with its reasoning inside of the output, as where nobody tells it apart."""
    part = json.loads(json.dumps(part))
    for place in filter(lambda place: isinstance(place, dict), (part, part.get("interaction"), part.get("response"))):
        usage = place.get("usage") or {}
        if {"prompt_tokens", "completion_tokens", "total_tokens"} <= usage.keys():
            usage["completion_tokens"] = usage["total_tokens"] - usage["prompt_tokens"]
        usage["total_output_tokens"] = usage.get("total_output_tokens", 0) + usage.pop("total_thought_tokens", 0)
        told = place.get("usageMetadata") or {}
        if thoughts := told.pop("thoughtsTokenCount", None):
            told["candidatesTokenCount"] = told.get("candidatesTokenCount", 0) + thoughts
    return hidden(part, REASONING)


class Recorded(NamedTuple):
    id: str
    provider: str
    format: Format
    parts: list[Any]


def answers() -> Iterator[tuple[Recorded, Any]]:
    """What was answered in full, and the usage that was reported of it."""
    for exchange in corpus.ALL:
        provider = NAMES.get(exchange.provider, exchange.provider)
        spoken = apis.spoken_by(provider, exchange.api)
        if exchange.status != 200 or not exchange.body or spoken is None or spoken.say is None:
            continue
        body = corpus.answer(exchange.body)
        parts = body if isinstance(body, list) else [body]
        seen = Reading()
        for part in parts:
            spoken.read(part, seen)
        usage = spoken.count(seen, provider, {})
        if usage.output is not None and seen.complete and not usage.sub and exchange.api != "legacy-complete":
            yield Recorded(exchange.id, provider, spoken, parts), usage


def estimated(answer: Recorded, hide: Callable[[Any], Any]) -> Mapping[str, Any]:
    """What the record of a call says whose counts are hidden."""
    body, asked = requests()[answer.id]
    seen, kept = Reading(), Kept()
    for part in map(hide, answer.parts):
        answer.format.read(part, seen)
        kept.parts.append(part)
    seen.complete = True
    usage, model, prompt = answer.format.count(seen, answer.provider, {}), seen.model or asked, ()
    try:
        prompt = answer.format.compose(body) if answer.format.compose and isinstance(body, dict) else ()
    except Unattributable:
        prompt = ()
    wanted = missing.wanted(usage, seen, model, answer.format, has_prompt=bool(prompt))
    if wanted is None:
        return {}
    kept.measure()
    completed = Missing(
        wanted,
        seen,
        Answer(answer.format, kept, None, is_ours=True),
        Asked(answer.provider, model, {}, prompt, None),
        NOBODY,
    )(ReadableSpan("chat", attributes=record.attributes(seen, usage, answer.provider, {})))
    return completed.attributes or {}


def cases(side: str) -> list[Case]:
    """Of every answer what is estimated of one side, or of the reasoning in it."""
    hide = undivided if side == "reasoning" else functools.partial(hidden, names=COUNTS)
    buckets = {"input": INPUT_BUCKETS, "output": OUTPUT_BUCKETS, "reasoning": ("output_reasoning",)}[side]
    found = []
    for answer, usage in answers():
        true = {"input": usage.input, "output": usage.output, "reasoning": usage.reasoning}[side]
        # Long requests were cut when they were recorded.
        if not true or answer.id in UNSEEN or (side == "input" and "[elided" in json.dumps(requests()[answer.id][0])):
            continue
        said = estimated(answer, hide)
        count = sum(said.get(name.USAGE + bucket, 0) for bucket in buckets)
        found.append(Case(answer.id.partition("/")[0], true, count, said.get(name.ESTIMATE_ERROR + side)))
    return found


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def report(side: str, method: str, found: list[Case]) -> tuple[float, float]:
    """Says what was measured; gives the share that is within its bound, and the median of the stated half-widths."""
    stated = [case for case in found if case.error is not None]
    by_provider: dict[str, list[Case]] = defaultdict(list)
    for case in stated:
        by_provider[case.provider].append(case)
    unknown = sum(case.error is None for case in found)
    say(f"\n{side} by {method}: {len(stated)} estimated with a bound, {unknown} without")
    for provider, each in sorted(by_provider.items()):
        errors = [abs(case.true - case.estimated) / max(1, case.estimated) for case in each]
        within = sum(case.is_within for case in each)
        say(
            f"  {provider:18} {len(each):3}  off by {median(errors):6.1%} (most {max(errors):6.1%}),"
            f" stated ± {median(case.error or 0 for case in each):6.1%}, within {within}/{len(each)}"
        )
    share = sum(case.is_within for case in stated) / len(stated)
    width = median(case.error or 0 for case in stated)
    say(f"  all: within {share:.1%}, median half-width {width:.1%}")
    return share, width


@pytest.mark.parametrize("side", ["output", "reasoning"])
def test_estimates_by_ranks_keep_to_narrow_bounds(ranks, capsys, side):
    with capsys.disabled():
        share, width = report(side, "o200k_base", cases(side))
    assert (share >= 0.95, width <= 0.10) == (True, True)


@pytest.mark.parametrize("side", ["output", "reasoning"])
def test_estimates_without_ranks_keep_to_wider_ones(capsys, side):
    with capsys.disabled():
        share, width = report(side, "the kinds of characters", cases(side))
    assert (share >= 0.95, width <= 0.30) == (True, True)


def test_estimates_of_the_input_by_ranks_keep_to_narrow_bounds(ranks, capsys):
    with capsys.disabled():
        share, width = report("input", "o200k_base", cases("input"))
    assert (share >= 0.95, width <= 0.10) == (True, True)


def test_estimates_of_the_input_without_ranks_keep_to_wider_ones(capsys):
    with capsys.disabled():
        share, width = report("input", "the kinds of characters", cases("input"))
    assert (share >= 0.95, width <= 0.30) == (True, True)


def test_reasoning_that_cannot_be_told_from_the_error_of_the_rest_is_unknown(ranks):
    small = 0
    for answer, usage in answers():
        said = estimated(answer, undivided)
        thought = said.get(name.USAGE + "output_reasoning")
        if said.get(name.REASONING_SOURCE) == "estimated" and thought is not None:
            assert thought > 0.2 * (usage.output or 0)
        elif said.get(name.REASONING_SOURCE) == "unknown":
            small += 1
            assert name.ESTIMATE_COUNTS not in said
    assert small > 0


def test_whatever_is_estimated_of_reasoning_the_output_stays_what_was_reported():
    for answer, usage in answers():
        # Vercel's totals leave reasoning out.
        if not answer.provider.startswith("vercel") and (said := estimated(answer, undivided)):
            assert sum(said.get(name.USAGE + bucket, 0) for bucket in OUTPUT_BUCKETS) == usage.output
            assert said[name.OUTPUT_TOKENS] == usage.output
            assert name.REASONING_TOKENS not in said
