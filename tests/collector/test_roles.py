"""Roles that nobody names: inferred from what calls ask and answer, and from where they stand."""

import pytest

CALL = {"input_text": 1_000, "output_text": 100}
TOOLS = '["tool_calls"]'
STOP = '["stop"]'
ASKED = '["system:10","user:90"]'
FED = '["system:10","user:30","history:20","tool_results:40"]'
CONTINUED = '["system:10","history:50","user:40"]'


class Scene:
    """Spans of one trace, each a second after the one before."""

    def __init__(self, ledger, trace):
        self._ledger, self._trace, self._at = ledger, trace, 0
        self.ends = {}

    def _moment(self):
        self._at += 2
        return self._at

    def call(self, span, parent="", *, finish=STOP, segments=ASKED, said=None, **more):
        """A call of ours, as long as a second."""
        told = {"gen_ai.response.finish_reasons": finish, "tokentrace.input.segments": segments}
        more.setdefault("at", self._moment())
        self._ledger.call(self._trace, span, parent, tokens=more.pop("tokens", CALL), said=told | (said or {}), **more)

    def other(self, span, parent="", *, operation="chat", said=None, **more):
        """A call as another instrumentation tells it, without a composition of its prompt."""
        usage = {"input_tokens": 1_000, "output_tokens": 100}
        told = {"gen_ai.operation.name": operation} | (said or {})
        more.setdefault("at", self._moment())
        self._ledger.foreign(self._trace, span, parent, usage=usage, said=told, **more)

    def around(self, span, parent="", *, operation="", step="", seconds=99, said=None, **more):
        """A span around what follows."""
        told = {"gen_ai.operation.name": operation} if operation else {}
        told |= {"tokentrace.step.name": step} if step else {}
        more.setdefault("at", self._moment())
        self._ledger.span(self._trace, span, parent, said=told | (said or {}), seconds=seconds, **more)

    def agent(self, span, parent="", **more):
        self.around(span, parent, operation="invoke_agent", **more)

    def tool(self, span, parent="", *, name="lookup", **more):
        self.around(span, parent, operation="execute_tool", name=f"execute_tool {name}", seconds=1, **more)


SCENES = {}


def scene(**expected):
    """A scene and the roles of its calls, each with the rule that decided."""

    def keep(play):
        SCENES[play.__name__] = (play, {span: tuple(role.split()) for span, role in expected.items()})
        return play

    return keep


@scene(a="tool_select inferred:tool_calls", b="tool_select inferred:tool_calls", c="answer inferred:last_call")
def a_loop_of_tools_ends_in_the_answer(trace):
    trace.agent("loop")
    trace.call("a", "loop", finish=TOOLS)
    trace.tool("t", "loop")
    trace.call("b", "loop", finish=TOOLS, segments=FED)
    trace.tool("u", "loop")
    trace.call("c", "loop", segments=FED)


@scene(a="tool_select inferred:tool_calls", b="answer inferred:last_call")
def a_loop_without_spans_of_tools_is_seen_by_the_results_in_the_next_prompt(trace):
    trace.call("a", finish=STOP, said={"tokentrace.output.tool_calls": 1})
    trace.call("b", segments=FED)


@scene(a="tool_select inferred:tool_span", b="tool_result inferred:tool_results", c="answer inferred:last_call")
def another_instrumentation_is_read_by_its_tree(trace):
    trace.other("a")
    trace.tool("t")
    trace.other("b")
    trace.other("c")


@scene(a="tool_select inferred:tool_span", b="answer inferred:last_call")
def an_agent_that_calls_its_tools_in_words_is_seen_by_its_spans(trace):
    trace.agent("loop")
    trace.call("a", "loop")
    trace.tool("t", "loop")
    trace.call("b", "loop", segments=CONTINUED)


@scene(a="unknown", b="answer inferred:last_call")
def a_tool_that_the_application_runs_between_two_calls_was_not_asked_for(trace):
    trace.call("a")
    trace.tool("t")
    trace.call("b")


@scene(a="answer inferred:structured", b="answer inferred:structured")
def a_call_of_a_tool_that_nobody_reads_is_the_answer_in_the_form_of_one(trace):
    trace.call("a", finish=TOOLS)
    trace.call("b", finish=TOOLS)


@scene(a="tool_select inferred:tool_calls", b="unknown")
def an_agent_that_failed_before_its_tool_ran_has_given_no_answer(trace):
    trace.agent("loop", failed=True)
    trace.call("a", "loop", finish=TOOLS)
    trace.tool("t", "loop")
    trace.call("b", "loop", finish=TOOLS, segments=FED)


@scene(a="tool_result inferred:tool_results", b="answer inferred:last_call")
def who_reads_results_and_is_not_the_last_works_on_them(trace):
    trace.call("a", segments=FED)
    trace.call("b")


@scene(a="answer inferred:turn", b="answer inferred:last_call")
def each_turn_of_a_conversation_has_its_answer(trace):
    trace.call("a")
    trace.call("b", segments=CONTINUED)


@scene(a="unknown", b="answer inferred:last_call")
def a_chain_of_calls_tells_only_its_end(trace):
    trace.call("a")
    trace.call("b")


@scene(
    a="tool_select inferred:tool_calls",
    b="tool_select inferred:tool_calls",
    c="delegate inferred:last_call",
    d="answer inferred:last_call",
)
def the_answer_of_an_agent_inside_an_agent_is_delegated_work(trace):
    trace.agent("outer")
    trace.call("a", "outer", finish=TOOLS)
    trace.agent("inner", "outer", seconds=7)
    trace.call("b", "inner", finish=TOOLS)
    trace.tool("t", "inner")
    trace.call("c", "inner", segments=FED)
    trace.call("d", "outer", segments=FED, at=20)


@scene(a="delegate inferred:handoff", b="answer inferred:last_call")
def who_was_handed_over_to_answers(trace):
    trace.agent("first")
    trace.call("a", "first", finish=TOOLS)
    trace.tool("t", "first", name="transfer_to_billing")
    trace.agent("second", "first")
    trace.call("b", "second")


@scene(a="delegate inferred:last_call", b="answer inferred:last_call")
def of_the_agents_of_a_workflow_the_last_one_answers(trace):
    trace.around("flow", operation="invoke_workflow")
    trace.agent("one", "flow", seconds=3)
    trace.call("a", "one")
    trace.agent("two", "flow")
    trace.call("b", "two")


@scene(a="answer inferred:last_call", b="answer inferred:last_call")
def agents_that_run_beside_each_other_each_answer(trace):
    trace.agent("one", seconds=3)
    trace.call("a", "one")
    trace.agent("two")
    trace.call("b", "two")


@scene(a="tool_select inferred:tool_calls", b="tool_result inferred:tool", c="answer inferred:last_call")
def a_call_inside_of_a_tool_works_for_it(trace):
    trace.agent("loop")
    trace.call("a", "loop", finish=TOOLS)
    trace.tool("t", "loop")
    trace.call("b", "t", at=4.2, seconds=0.5)
    trace.call("c", "loop", segments=FED)


@scene(
    a="plan inferred:step",
    b="route inferred:step",
    c="summarise inferred:step",
    d="answer inferred:last_call",
    e="verify inferred:step",
)
def steps_are_read_by_the_words_of_their_names(trace):
    trace.around("p", step="make-plan", seconds=3)
    trace.call("a", "p")
    trace.around("r", step="QuestionRouter", seconds=3)
    trace.call("b", "r")
    trace.around("s", step="summarize_documents", seconds=3)
    trace.call("c", "s")
    trace.call("d")
    trace.around("v", step="judge", seconds=3)
    trace.call("e", "v")


@scene(a="unknown", b="answer inferred:last_call")
def a_word_inside_of_a_word_says_nothing(trace):
    trace.around("p", step="planetarium", seconds=3)
    trace.call("a", "p")
    trace.call("b")


@scene(a="unknown", b="answer inferred:last_call")
def the_name_of_a_span_that_is_no_step_says_nothing(trace):
    trace.around("p", name="POST /plan", seconds=3)
    trace.call("a", "p")
    trace.call("b")


@scene(a="unknown", b="answer inferred:last_call")
def what_leads_nowhere_is_the_answer_whatever_its_step_is_called(trace):
    trace.call("a")
    trace.around("s", step="summarise", seconds=3)
    trace.call("b", "s")


@scene(
    a="plan inferred:agent", b="tool_select inferred:tool_calls", c="plan inferred:agent", d="answer inferred:last_call"
)
def agents_are_read_by_the_words_of_their_names_where_they_call_no_tools(trace):
    trace.agent("one", name="invoke_agent planner", seconds=3)
    trace.call("a", "one")
    trace.agent("two", name="invoke_agent planner", seconds=7)
    trace.call("b", "two", finish=TOOLS)
    trace.tool("t", "two")
    trace.call("c", "two", segments=FED)
    trace.agent("three", name="invoke_agent writer")
    trace.call("d", "three")


@scene(
    a="plan framework",
    b="guardrail framework",
    c="retrieve framework",
    d="answer inferred:last_call",
    e="verify framework",
)
def frameworks_say_what_a_span_is(trace):
    trace.around("p", operation="plan", seconds=3)
    trace.call("a", "p")
    trace.around("g", said={"openinference.span.kind": "GUARDRAIL"}, seconds=3)
    trace.call("b", "g")
    trace.around("r", said={"langfuse.observation.type": "retriever"}, seconds=3)
    trace.call("c", "r")
    trace.call("d")
    trace.around("v", said={"openinference.span.kind": "EVALUATOR"}, seconds=3)
    trace.call("e", "v")


@scene(
    a="retrieve inferred:operation",
    b="guardrail inferred:operation",
    c="answer inferred:last_call",
    d="answer inferred:operation",
)
def operations_say_what_a_call_is_for(trace):
    trace.call("a", said={"gen_ai.operation.name": "embeddings"})
    trace.call("b", name="chat llama-guard-4")
    trace.call("c")
    trace.call("d", said={"gen_ai.operation.name": "image_generation"})


@scene(a="answer inferred:operation", b="answer inferred:operation")
def embeddings_that_serve_no_answer_are_what_was_wanted(trace):
    trace.call("a", said={"gen_ai.operation.name": "embeddings"})
    trace.call("b", said={"gen_ai.operation.name": "embeddings"})


@scene(a="plan explicit", b="answer inferred:last_call", c="verify step")
def what_is_named_stands(trace):
    trace.call("a", role="plan", said={"tokentrace.role_source": "explicit"})
    trace.call("b")
    trace.around("v", said={"tokentrace.role": "verify"})
    trace.call("c", "v", finish=TOOLS)


@scene(a="answer only_call", b="answer only_call")
def an_only_call_stays_one_where_an_attempt_before_it_failed(trace):
    trace.tool("t")
    trace.call("a", "t", failed=True)
    trace.call("b", "t")


@scene(a="tool_select inferred:tool_calls", b="answer inferred:retried", c="answer inferred:last_call")
def a_call_that_failed_was_for_what_its_retry_was_for(trace):
    trace.agent("loop")
    trace.call("a", "loop", finish=TOOLS)
    trace.tool("t", "loop")
    trace.call("b", "loop", segments=FED, failed=True)
    trace.call("c", "loop", segments=FED)


@scene(a="unknown", b="answer inferred:last_call")
def results_of_tools_that_the_provider_ran_are_no_loop(trace):
    trace.call("a", segments=FED, meters={"web_search": 1})
    trace.call("b")


@scene(a="tool_select inferred:tool_calls", b="answer inferred:last_call")
def a_span_that_claims_to_enclose_itself_is_beside_the_others(trace):
    trace.around("self", "self")
    trace.call("a", finish=TOOLS)
    trace.call("b", segments=FED)


@pytest.fixture(scope="module")
def played(shared_ledger):
    """A ledger in which all scenes have taken place."""
    for name, (play, _) in SCENES.items():
        play(Scene(shared_ledger, name))
    shared_ledger.tick()
    return shared_ledger


def roles(ledger, trace):
    rows = ledger.store.query(
        "SELECT span_id, role, role_source FROM call_costs FINAL WHERE trace_id = {trace:String} AND kind = 'call'",
        trace=trace,
    )
    return {row["span_id"]: tuple(filter(None, (row["role"], row["role_source"]))) for row in rows}


@pytest.mark.parametrize("name", SCENES)
def test_roles_follow_from_what_took_place(played, name):
    assert roles(played, name) == SCENES[name][1]
