"""Each thing once: which of the spans that tell of a call bears its cost."""

import json

import pytest

CALL = {"input_text": 1_000, "output_text": 100}
TOTALS = {"input_tokens": 1_000, "output_tokens": 100}
COST = "0.003"
SEARCH, SEARCHES = "0.01", "0.02"


@pytest.fixture
def ledger(shared_ledger):
    return shared_ledger


def bearing(ledger, trace):
    """Who bears what in a trace: span → why not, or nothing."""
    rows = ledger.store.query(
        "SELECT span_id, borne_by FROM call_costs FINAL WHERE trace_id = {trace:String} ORDER BY span_id", trace=trace
    )
    return {row["span_id"]: row["borne_by"] for row in rows}


def test_an_aggregate_bears_nothing_and_its_surplus_is_not_priced(ledger):
    """An outer client that saw a metered call repeats it; what it says beyond that is for reconciliation."""
    ledger.call(
        "aggregate",
        "outer",
        tokens={"input_text": 1_500, "output_text": 100},
        said={"tokentrace.usage.scope": "aggregate"},
    )
    ledger.call("aggregate", "inner", "outer", tokens=CALL)
    ledger.tick()
    assert bearing(ledger, "aggregate") == {"inner": "", "outer": "aggregate"}
    assert ledger.call_cost("aggregate", "outer")["unexplained_tokens"] == 500
    assert ledger.components("aggregate") == {"visible": COST}


def test_a_foreign_account_inside_a_call_of_ours_is_the_same_call(ledger):
    """A client library that traces itself must not double the bill."""
    ledger.call("native", "ours", tokens=CALL, said={"gen_ai.response.id": "msg_0123456789abcdef"})
    ledger.foreign("native", "theirs", "ours", usage=TOTALS, said={"gen_ai.response.id": "msg_0123456789abcdef"})
    ledger.tick()
    assert bearing(ledger, "native") == {"ours": "", "theirs": "same_response"}


def test_a_foreign_span_around_a_call_of_ours_bears_nothing(ledger):
    """The innermost bears, whatever lies between."""
    ledger.foreign("around", "theirs", usage=TOTALS)
    ledger.span("around", "http", "theirs", library="http")
    ledger.call("around", "ours", "http", tokens=CALL)
    ledger.tick()
    assert bearing(ledger, "around") == {"ours": "", "theirs": "inner_call"}


def test_a_foreign_account_beside_a_call_of_ours_is_the_same_by_id_and_usage(ledger):
    """Two instrumentations of one client, neither inside the other."""
    ledger.call("beside", "ours", tokens=CALL, said={"gen_ai.response.id": "resp_1"})
    ledger.foreign("beside", "theirs", usage=TOTALS, said={"gen_ai.response.id": "resp_1"})
    ledger.tick()
    assert bearing(ledger, "beside") == {"ours": "", "theirs": "same_response"}


def test_an_id_alone_does_not_merge(ledger):
    """Local servers draw their ids from a thousand numbers: the usage differs, so the calls do."""
    ledger.call("weak", "ours", tokens=CALL, said={"gen_ai.response.id": "chatcmpl-7"})
    ledger.foreign(
        "weak", "theirs", usage={"input_tokens": 7, "output_tokens": 7}, said={"gen_ai.response.id": "chatcmpl-7"}
    )
    ledger.tick()
    assert bearing(ledger, "weak") == {"ours": "", "theirs": ""}


def test_two_calls_of_ours_are_never_one(ledger):
    """Each sent a request of its own, even with one id, even one inside the other."""
    ledger.call("twice", "a", tokens=CALL, said={"gen_ai.response.id": "chatcmpl-7"})
    ledger.call("twice", "b", "a", tokens=CALL, said={"gen_ai.response.id": "chatcmpl-7"})
    ledger.tick()
    assert bearing(ledger, "twice") == {"a": "", "b": ""}


def test_of_foreign_calls_in_one_another_the_innermost_bears(ledger):
    """A framework, its model wrapper and the client: one call."""
    for span, parent in (("a", ""), ("b", "a"), ("c", "b")):
        ledger.foreign("nested", span, parent, usage=TOTALS)
    ledger.tick()
    assert bearing(ledger, "nested") == {"a": "inner_call", "b": "inner_call", "c": ""}


def test_of_two_foreign_accounts_of_one_response_the_first_bears(ledger):
    """Two instrumentations without ours."""
    ledger.foreign("pair", "a", usage=TOTALS, said={"gen_ai.response.id": "resp_1"})
    ledger.foreign("pair", "b", usage=TOTALS, said={"gen_ai.response.id": "resp_1"}, at=0.1)
    ledger.tick()
    assert bearing(ledger, "pair") == {"a": "", "b": "same_response"}


def test_calls_of_different_classes_are_different_calls(ledger):
    """A retrieval inside a generation."""
    ledger.foreign("classes", "chat", usage=TOTALS)
    ledger.foreign("classes", "embed", "chat", usage={"input_tokens": 10}, said={"gen_ai.operation.name": "embeddings"})
    ledger.tick()
    assert bearing(ledger, "classes") == {"chat": "", "embed": ""}


def test_an_agent_span_never_bears(ledger):
    """Its totals are sums of calls."""
    ledger.foreign("agent", "loop", usage=TOTALS, said={"gen_ai.operation.name": "invoke_agent"})
    ledger.tick()
    assert bearing(ledger, "agent") == {"loop": "aggregate"}


def test_the_calls_inside_an_agent_explain_its_totals(ledger):
    """Of what it says beyond them, nothing is known."""
    ledger.foreign(
        "explained", "loop", usage={"input_tokens": 1_500, "output_tokens": 100},
        said={"gen_ai.operation.name": "invoke_agent"},
    )  # fmt: skip
    ledger.call("explained", "a", "loop", tokens=CALL)
    ledger.tick()
    assert ledger.call_cost("explained", "loop")["unexplained_tokens"] == 500


def test_a_foreign_call_is_read_by_the_conventions(ledger):
    """Totals contain caches and reasoning."""
    usage = TOTALS | {"cache_read.input_tokens": 600, "cache_creation.input_tokens": 50, "reasoning.output_tokens": 40}
    ledger.foreign("foreign", "a", usage=usage)
    ledger.tick()
    assert ledger.call_cost("foreign", "a")["tokens"] == {
        "input_text": 350, "cache_read": 600, "cache_write_unknown": 50, "output_text": 60, "output_reasoning": 40,
    }  # fmt: skip


def test_a_response_read_again_costs_once_across_traces(ledger):
    """Background work: asked for in one trace, its usage read in another, polled in a third."""
    said = {"gen_ai.response.id": "resp_background_1"}
    ledger.call("asks", "create", said=said | {"tokentrace.usage.source": "missing"})
    again = said | {"tokentrace.usage.scope": "retrieve"}
    ledger.call("reads", "retrieve", tokens=CALL, said=again, at=60)
    ledger.call("polls", "retrieve", tokens=CALL, said=again, at=90)
    ledger.tick()
    assert [ledger.components(trace) for trace in ("asks", "reads", "polls")] == [{"visible": COST}, {}, {}]


def test_a_reader_that_came_first_hands_over_to_the_call_that_asked(ledger):
    """The spans of the two traces arrive in the wrong order."""
    said = {"gen_ai.response.id": "resp_background_2"}
    ledger.call("later reader", "retrieve", tokens=CALL, said=said | {"tokentrace.usage.scope": "retrieve"}, at=60)
    ledger.tick()
    assert ledger.components("later reader") == {"visible": COST}
    ledger.call("late asker", "create", said=said | {"tokentrace.usage.source": "missing"})
    ledger.tick()
    assert (ledger.components("later reader"), ledger.components("late asker")) == ({}, {"visible": COST})


def test_a_result_of_a_batch_that_is_read_twice_costs_once(ledger):
    """Nobody bears what was asked for: the results say by themselves what they cost."""
    said = {"gen_ai.response.id": "msg_of_a_batch_1", "tokentrace.usage.scope": "retrieve"}
    ledger.call("reads", "result", tokens=CALL, said=said)
    ledger.call("reads again", "result", tokens=CALL, said=said, at=60)
    ledger.tick()
    assert (ledger.components("reads"), ledger.components("reads again")) == ({"visible": COST}, {})


def test_separately_priced_parts_are_priced_by_their_own_model(ledger):
    """An advisor inside an answer; the answer itself is priced beside it."""
    parts = '[{"kind": "advisor", "model": "claude-opus-5", "buckets": {"input_text": 1000}}]'
    ledger.call(
        "parts",
        "a",
        provider="anthropic",
        model="claude-haiku-4-5",
        tokens=CALL,
        said={"tokentrace.usage.parts": parts},
    )
    ledger.tick()
    assert [(ledger.call_cost("parts", "a", part)["model"], str(ledger.call_cost("parts", "a", part)["total"].normalize())) for part in (0, 1)] == [
        ("claude-haiku-4-5", "0.0015"), ("claude-opus-5", "0.005"),
    ]  # fmt: skip


def test_a_main_usage_that_is_the_sum_of_its_parts_bears_nothing_itself(ledger):
    """Then only the parts are priced."""
    parts = '[{"kind": "message", "model": "gpt-6-sol", "buckets": {"input_text": 1000, "output_text": 100}}]'
    ledger.call(
        "sum",
        "a",
        tokens=CALL,
        said={"tokentrace.usage.parts": parts, "tokentrace.usage.flags": '["main_is_sum_of_parts"]'},
    )
    ledger.tick()
    assert (ledger.call_cost("sum", "a")["borne_by"], ledger.components("sum")) == ("parts", {"visible": COST})


def test_a_main_usage_whose_parts_leave_its_meters_out_bears_those(ledger):
    """The searches before a fallback to another model: no part tells of them."""
    parts = '[{"kind": "message", "model": "gpt-6-sol", "buckets": {"input_text": 1000, "output_text": 100}}]'
    said = {"tokentrace.usage.parts": parts, "tokentrace.usage.flags": '["main_is_sum_of_parts"]'}
    ledger.call("searched", "a", tokens=CALL, meters={"web_search": 2}, said=said)
    ledger.tick()
    assert ledger.components("searched") == {"visible": COST, "orchestration": SEARCHES}
    assert ledger.trace("searched")["calls"] == 1


def test_meters_that_a_part_has_are_not_borne_again(ledger):
    """As the tools of a compound system, which are a part of their own."""
    parts = json.dumps([
        {"kind": "message", "model": "gpt-6-sol", "buckets": {"input_text": 1000, "output_text": 100}},
        {"kind": "tools", "model": "gpt-6-sol", "buckets": {}, "meters": {"web_search": 1}},
    ])  # fmt: skip
    said = {"tokentrace.usage.parts": parts, "tokentrace.usage.flags": '["main_is_sum_of_parts"]'}
    ledger.call("one apart", "a", tokens=CALL, meters={"web_search": 2}, said=said)
    ledger.call("all apart", "b", tokens=CALL, meters={"web_search": 1}, said=said)
    ledger.tick()
    assert [ledger.components(trace)["orchestration"] for trace in ("one apart", "all apart")] == [SEARCHES, SEARCH]


def test_a_call_whose_parts_bear_its_cost_is_counted(ledger):
    """With its attempts, and in every coverage."""
    parts = '[{"kind": "message", "model": "gpt-6-sol", "buckets": {"input_text": 1000, "output_text": 100}}]'
    said = {
        "tokentrace.usage.parts": parts,
        "tokentrace.usage.flags": '["main_is_sum_of_parts"]',
        "tokentrace.usage.source": "partial_stream",
    }
    ledger.call("counted", "a", tokens=CALL, attempts=[{"tokentrace.attempt.number": 1}], said=said)
    ledger.tick()
    names = ("calls", "attempts", "usage_covered", "usage_total", "roles_covered", "roles_total")
    assert [ledger.trace("counted")[name] for name in names] == [1, 1, 0, 1, 1, 1]


def test_a_main_usage_whose_parts_were_cut_off_bears_its_cost(ledger):
    """An exporter that limits the length of attributes leaves no JSON."""
    said = {"tokentrace.usage.parts": '[{"kind": "mess', "tokentrace.usage.flags": '["main_is_sum_of_parts"]'}
    ledger.call("cut off", "a", tokens=CALL, said=said)
    ledger.tick()
    assert ledger.components("cut off") == {"visible": COST}


def test_spans_that_enclose_each_other_do_not_stop_the_rollup(ledger):
    """A broken exporter."""
    ledger.foreign("circle", "a", "b", usage=TOTALS)
    ledger.foreign("circle", "b", "a", usage=TOTALS)
    ledger.tick()
    assert set(bearing(ledger, "circle")) == {"a", "b"}
