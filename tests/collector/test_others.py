"""Each call once, whoever else tells of it: spans in the shapes of other instrumentations, beside ours."""

import random
from copy import deepcopy

import pytest

from tokentrace_collector.rollup import recompute

ID = "chatcmpl-8f3e5b7a9c1d"
TOKENS = {"input_text": 44, "cache_read": 56, "output_text": 20, "output_reasoning": 30}
TOTALS = {"input_tokens": 100, "output_tokens": 50}
LITELLM = {"library": "litellm", "usage": TOTALS, "said": {"gen_ai.response.id": ID}}
CLAUDE = "claude-opus-5"
NO_ID = {"library": "opentelemetry.instrumentation.langchain", "usage": TOTALS}


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def bearing(ledger, *traces):
    """Who bears what in the traces: span → why not, or nothing."""
    rows = ledger.store.query(
        "SELECT span_id, borne_by FROM call_costs FINAL WHERE trace_id IN {traces:Array(String)} ORDER BY span_id",
        traces=list(traces),
    )
    return {row["span_id"]: row["borne_by"] for row in rows}


def ours(ledger, trace, span="ours", parent="request", **more):
    """A call of ours."""
    said = {"gen_ai.response.id": ID} | more.pop("said", {})
    ledger.call(trace, span, parent, tokens=more.pop("tokens", TOKENS), said=said, **more)


def test_a_callback_tells_of_a_call_in_a_trace_of_its_own(ledger):
    """LiteLLM: no context reaches the thread that its callbacks run in."""
    ours(ledger, "call", seconds=2)
    ledger.foreign("callback", "litellm_request", at=0.1, **LITELLM)
    ledger.tick()
    assert bearing(ledger, "call", "callback") == {"ours": "", "litellm_request": "same_response"}
    assert ledger.trace("callback")["calls"] == 0


def test_a_callback_that_came_first_hands_over_to_the_call(ledger):
    """Nobody can know yet."""
    ledger.foreign("early callback", "litellm_request", at=0.1, **LITELLM | {"said": {"gen_ai.response.id": ID + "e"}})
    ledger.tick()
    assert bearing(ledger, "early callback") == {"litellm_request": ""}
    ours(ledger, "late call", said={"gen_ai.response.id": ID + "e"})
    ledger.tick()
    assert bearing(ledger, "early callback", "late call") == {"ours": "", "litellm_request": "same_response"}
    assert ledger.trace("early callback")["calls"] == 0


def test_a_response_is_one_of_its_tenant(ledger):
    """Whatever another tenant is answered."""
    ours(ledger, "theirs", said={"gen_ai.response.id": ID + "t"})
    said = {"gen_ai.response.id": ID + "t"}
    ledger.foreign("mine", "litellm_request", tenant="other", **LITELLM | {"said": said})
    ledger.tick()
    assert bearing(ledger, "theirs", "mine") == {"ours": "", "litellm_request": ""}


@pytest.mark.parametrize(
    ("trace", "how"),
    [
        ("a weak id", {"said": {"gen_ai.response.id": "chatcmpl-7"}}),
        ("a day later", {"at": 86_400}),
        ("other counts", {"usage": {"input_tokens": 7, "output_tokens": 9}}),
    ],
)
def test_an_id_alone_does_not_merge_across_traces(ledger, trace, how):
    """Local servers draw ids from a thousand numbers; of others the usage or the day differs."""
    said = how.pop("said", {"gen_ai.response.id": f"{ID}-{trace}"})
    ours(ledger, trace, said=said)
    ledger.foreign(f"{trace} retold", "theirs", **LITELLM | {"said": said} | how)
    ledger.tick()
    assert bearing(ledger, trace, f"{trace} retold") == {"ours": "", "theirs": ""}


def test_a_span_of_the_application_that_a_callback_writes_into_is_no_second_call(ledger):
    """LiteLLM, awaited: into whatever span is current, with the name of its function as the operation."""
    said = {"gen_ai.response.id": ID, "gen_ai.operation.name": "acompletion"}
    ledger.foreign("awaited", "request", usage=TOTALS, said=said, library="application", seconds=3)
    ours(ledger, "awaited")
    ledger.tick()
    assert bearing(ledger, "awaited") == {"ours": "", "request": "inner_call"}


def test_a_stream_whose_output_was_added_up_is_the_same_response(ledger):
    """OpenLLMetry counts the first token of a message of Anthropic twice."""
    usage = {"input_tokens": 100, "output_tokens": 51}
    ours(ledger, "added up", model=CLAUDE, provider="anthropic")
    ledger.foreign("added up", "anthropic.chat", "request", model=CLAUDE, usage=usage, said={"gen_ai.response.id": ID})
    ledger.tick()
    assert bearing(ledger, "added up") == {"ours": "", "anthropic.chat": "same_response"}


def test_thoughts_that_only_the_total_tells_of_are_output(ledger):
    """OpenLLMetry says of Google what it says, and Google counts thoughts apart."""
    gemini = {"usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 150}, "model": "gemini-3.8-flash"}
    said = {"gen_ai.response.id": "r-1"}
    ledger.foreign("thoughts", "generate_content", "request", said=said, **gemini)
    ours(ledger, "thoughts", said=said, model="gemini-3.8-flash", provider="gcp.gemini")
    ledger.foreign("thoughts alone", "theirs", **gemini)
    ledger.tick()
    assert bearing(ledger, "thoughts") == {"ours": "", "generate_content": "same_response"}
    counted = {"input_text": 100, "output_text": 20, "output_reasoning": 30}
    assert ledger.call_cost("thoughts alone", "theirs")["tokens"] == counted


def test_a_total_of_others_hides_no_thoughts(ledger):
    """It may hold caches that the input does not."""
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 150}
    ledger.foreign("no thoughts", "theirs", usage=usage, model=CLAUDE)
    ledger.tick()
    assert ledger.call_cost("no thoughts", "theirs")["tokens"] == {"input_text": 100, "output_text": 20}


@pytest.mark.parametrize("said", [{"gen_ai.response.id": ID}, {"gen_ai.response.id": "chatcmpl-1"}])
def test_the_result_of_a_stream_that_is_told_after_its_end_is_the_same(ledger, said):
    """Logfire: a record of its own, beside the span of the request, which says no usage."""
    trace = f"told after {said['gen_ai.response.id']}"
    ledger.span(trace, "Chat Completion", "request", library="logfire.openai", seconds=0.1)
    ours(ledger, trace, parent="Chat Completion", said=said, seconds=2)
    result = {"library": "logfire.openai", "usage": TOTALS, "said": said, "seconds": 0}
    ledger.foreign(trace, "streaming response", "request", at=2.01, **result)
    ledger.tick()
    assert bearing(ledger, trace) == {"ours": "", "streaming response": "same_response"}


def test_a_reading_of_a_response_is_told_by_others_as_a_call(ledger):
    """They count it with every poll."""
    said = {"gen_ai.response.id": "resp_0a1b2c3d4e5f"}
    ours(ledger, "polled", said=said)
    for number, at in enumerate((60, 120)):
        again = said | {"tokentrace.usage.scope": "retrieve"}
        ours(ledger, "polled", f"read {number}", said=again, at=at)
        ledger.foreign("polled", f"theirs {number}", "request", usage=TOTALS, said=said, at=at - 0.1, seconds=2)
    ledger.tick()
    assert ledger.trace("polled")["calls"] == 1


OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.token_count.prompt": 100,
    "llm.token_count.completion": 50,
    "llm.token_count.total": 150,
    "llm.token_count.prompt_details.cache_read": 56,
    "llm.token_count.completion_details.reasoning": 30,
    "llm.model_name": "gpt-6-sol",
}


def reading(ledger, trace, parent="request", *, at=60):
    """A call of ours, and a reading of its response."""
    ours(ledger, trace, "call")
    said = {"gen_ai.response.id": ID, "tokentrace.usage.scope": "retrieve"}
    ours(ledger, trace, "read", parent, said=said, at=at, seconds=2)


@pytest.mark.parametrize("place", ["around", "inside", "beside"])
def test_a_reading_of_a_response_is_told_by_others_without_its_id(ledger, place):
    """OpenInference: a reading looks to it like the call."""
    trace = f"read {place}"
    reading(ledger, trace, "theirs" if place == "around" else "request")
    told = {"at": 59.9, "seconds": 2.2} if place == "around" else {"at": 60.1, "seconds": 1}
    parent = "read" if place == "inside" else "request"
    ledger.span(trace, "theirs", parent, library="openinference.instrumentation.openai", said=OPENINFERENCE, **told)
    ledger.tick()
    assert bearing(ledger, trace) == {"call": "", "read": "retrieved", "theirs": "same_response"}
    assert ledger.trace(trace)["calls"] == 1


def test_a_reading_of_which_no_call_was_seen_costs_once(ledger):
    """Whoever tells of it."""
    said = {"gen_ai.response.id": f"{ID}-elsewhere", "tokentrace.usage.scope": "retrieve"}
    ours(ledger, "read alone", "read", "theirs", said=said)
    ledger.foreign("read alone", "theirs", "request", **NO_ID)
    ledger.tick()
    assert bearing(ledger, "read alone") == {"read": "", "theirs": "same_response"}


def test_a_reading_with_a_small_number_for_an_id_is_told_by_others_as_a_call(ledger):
    """At the same time, of the same usage."""
    said = {"gen_ai.response.id": "chatcmpl-3"}
    ours(ledger, "small", said=said)
    ours(ledger, "small", "read", said=said | {"tokentrace.usage.scope": "retrieve"}, at=60)
    ledger.foreign("small", "theirs", "request", usage=TOTALS, said=said, at=60.1)
    ledger.tick()
    assert bearing(ledger, "small")["theirs"] == "same_response"


@pytest.mark.parametrize(
    "how", [{"usage": {"input_tokens": 100, "output_tokens": 49}}, {"said": {"gen_ai.response.id": "r-2"}}]
)
def test_a_call_around_a_reading_of_another_response_is_a_call(ledger, how):
    """It may poll what somebody else has asked for."""
    trace = f"around {sorted(how)}"
    reading(ledger, trace, "theirs")
    ledger.foreign(trace, "theirs", "request", at=59, seconds=4, **NO_ID | how)
    ledger.tick()
    assert bearing(ledger, trace)["theirs"] == ""


def test_two_calls_beside_one_reading_are_one_more_than_it_explains(ledger):
    reading(ledger, "one reading")
    for number in range(2):
        ledger.foreign("one reading", f"theirs {number}", "request", at=60 + number / 10, **NO_ID)
    ledger.tick()
    told = bearing(ledger, "one reading")
    assert (told["theirs 0"], told["theirs 1"]) == ("same_response", "")


def test_a_span_without_an_id_around_the_time_of_a_call_is_the_same(ledger):
    """OpenLLMetry on LangChain: a sibling, which knows of the model what was asked for."""
    ours(ledger, "sibling", at=0.2, said={"gen_ai.response.model": "gpt-6-sol-2026-08-01"})
    ledger.foreign("sibling", "ChatOpenAI.chat", "request", seconds=2, **NO_ID)
    ledger.tick()
    assert bearing(ledger, "sibling") == {"ours": "", "ChatOpenAI.chat": "same_response"}


def test_a_span_without_an_id_may_know_of_the_output_alone(ledger):
    """OpenLLMetry on LangChain, of a stream of Anthropic."""
    ours(ledger, "half", model=CLAUDE, provider="anthropic")
    half = NO_ID | {"usage": {"input_tokens": 0, "output_tokens": 50}, "model": CLAUDE}
    ledger.foreign("half", "ChatAnthropic.chat", "request", **half)
    ledger.tick()
    assert bearing(ledger, "half") == {"ours": "", "ChatAnthropic.chat": "same_response"}


@pytest.mark.parametrize(
    ("trace", "how"),
    [
        ("another model", {"model": "gpt-6-luna"}),
        ("another time", {"at": 30}),
        ("another input", {"usage": {"input_tokens": 99, "output_tokens": 50}}),
        ("another output", {"usage": {"input_tokens": 100, "output_tokens": 49}}),
        ("another class", {"said": {"gen_ai.operation.name": "embeddings"}}),
    ],
)
def test_a_span_without_an_id_that_says_something_else_is_another_call(ledger, trace, how):
    ours(ledger, trace)
    ledger.foreign(trace, "theirs", "request", **NO_ID | how)
    ledger.tick()
    assert bearing(ledger, trace) == {"ours": "", "theirs": ""}


def test_a_span_without_an_id_in_another_trace_is_another_call(ledger):
    """Too many calls are alike."""
    ours(ledger, "here")
    ledger.foreign("there", "theirs", **NO_ID)
    ledger.tick()
    assert bearing(ledger, "here", "there") == {"ours": "", "theirs": ""}


def test_two_calls_at_once_that_are_alike_are_two(ledger):
    """One of ours explains one of theirs, and no more: the third is a call that we have not seen."""
    for span in ("a", "b"):
        ours(ledger, "alike", span, at=0.1, said={"gen_ai.response.id": f"{ID}-{span}"})
    for number in range(3):
        ledger.foreign("alike", f"theirs {number}", "request", at=number / 100, seconds=2, **NO_ID)
    ledger.tick()
    assert bearing(ledger, "alike") == {
        "a": "", "b": "", "theirs 0": "same_response", "theirs 1": "same_response", "theirs 2": "",
    }  # fmt: skip
    assert ledger.trace("alike")["calls"] == 3


def test_of_two_instrumentations_each_tells_of_every_call(ledger):
    """So one call of ours explains one span of either."""
    ours(ledger, "both", at=0.1)
    for library in ("opentelemetry.instrumentation.langchain", "strands.telemetry.tracer"):
        ledger.foreign("both", library, "request", seconds=2, **NO_ID | {"library": library})
    ledger.tick()
    assert ledger.trace("both")["calls"] == 1


@pytest.mark.parametrize("place", ["around", "inside", "same id"])
def test_a_call_that_is_told_already_explains_no_other_span(ledger, place):
    """The second span of that instrumentation is of a call that we have not seen."""
    trace = f"told {place}"
    known = NO_ID | ({"said": {"gen_ai.response.id": ID}} if place == "same id" else {})
    ledger.foreign(trace, "known", "ours" if place == "inside" else "request", seconds=2, **known)
    ours(ledger, trace, parent="known" if place == "around" else "request", seconds=2)
    ledger.foreign(trace, "unknown", "request", at=0.1, seconds=1, **NO_ID)
    ledger.tick()
    assert bearing(ledger, trace)["unknown"] == ""
    assert ledger.trace(trace)["calls"] == 2


SHAPES = ("own", "callback", "sibling", "nested", "result", "reading", "unseen")


def stream(chance):
    """Spans of a few requests that share their answers, each told by some of the others."""
    for number in range(14):
        shape, trace = chance.choice(SHAPES), chance.choice("abcd")
        said = {"gen_ai.response.id": f"{ID}-{chance.randrange(4)}"}
        at, names = chance.randrange(4), [f"s{other}" for other in range(number)]
        where = {"at": at, "seconds": chance.choice([0, 1, 3]), "parent": chance.choice(["", "request", *names])}
        if shape in {"own", "reading"}:
            again = {"tokentrace.usage.scope": "retrieve"} if shape == "reading" else {}
            yield "call", trace, f"s{number}", where | {"tokens": TOKENS, "said": said | again}
        else:
            told = {
                "callback": LITELLM | {"said": said},
                "result": LITELLM | {"said": said, "library": "logfire.openai"},
            }
            how = told.get(shape, NO_ID) | (
                {"usage": {"input_tokens": 9, "output_tokens": 9}} if shape == "unseen" else {}
            )
            yield "foreign", chance.choice("xabcd"), f"s{number}", where | how


@pytest.mark.parametrize("seed", range(2))
def test_in_whatever_order_and_batches_they_arrive_the_figures_are_the_same(fresh_ledger, monkeypatch, seed):
    chance = random.Random(seed)
    spans = list(stream(chance))
    at_once, bit_by_bit = fresh_ledger(), fresh_ledger()
    for method, trace, span, more in spans:
        getattr(at_once, method)(trace, span, **deepcopy(more))
    at_once.tick()
    monkeypatch.setattr(recompute, "_TOUCHES", 1 + seed)
    order = [*spans, *chance.sample(spans, 3)]
    chance.shuffle(order)
    for method, trace, span, more in order:
        getattr(bit_by_bit, method)(trace, span, **deepcopy(more))
        if chance.random() < 0.2:
            bit_by_bit.tick()
    bit_by_bit.tick()
    expected = at_once.everything()
    assert bit_by_bit.everything() == expected
    bit_by_bit.rollup.rebuild()
    assert bit_by_bit.everything() == expected
