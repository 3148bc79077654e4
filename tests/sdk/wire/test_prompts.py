"""What requests are made of, in every wire format: kinds in prompt order, and nothing of a shape that is not known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace.usage.prompt import EVERYTHING, Other, Piece, Unattributable
from tokentrace.wire.prompts import chat, cohere, converse, gemini, invoke, messages, ollama, plain, responses, steps

TOOL = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
PNG = "iVBORw0KGgo" * 300


def told(pieces: Sequence[Piece]) -> list[Any]:
    """Texts as they are, of the rest only the kind."""
    return [f"{kind}:{content}" if isinstance(content, str) else kind for kind, content in pieces]


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


CALLED = assistant(None, tool_calls=[{"id": "1", "function": {"name": "add", "arguments": "{}"}}])
GAVE = {"role": "tool", "tool_call_id": "1", "content": "4"}

CONVERSATIONS = {
    "a question": ([user("2+2?")], ["user:2+2?"]),
    "an answered question is history": (
        [user("2+2?"), assistant("4"), user("3+3?")],
        ["history:2+2?", "history:4", "user:3+3?"],
    ),
    "questions that stand together": ([assistant("Hi."), user("a"), user("b")], ["history:Hi.", "user:a", "user:b"]),
    "a tool of this turn": (
        [user("2+2?"), CALLED, GAVE],
        ["user:2+2?", "history", "tool_results:4"],
    ),
    "a tool of an earlier turn": (
        [user("2+2?"), CALLED, GAVE, assistant("4"), user("Sure?")],
        ["history:2+2?", "history", "history:4", "history:4", "user:Sure?"],
    ),
    "a system message in between": (
        [user("a"), {"role": "system", "content": "Hurry."}, user("b")],
        ["user:a", "system:Hurry.", "user:b"],
    ),
    "the application's own beginning of the answer": (
        [user("a"), assistant("{")],
        ["user:a", "user:{"],
    ),
    "only tools, where the question was cut off": ([CALLED, GAVE], ["history", "tool_results:4"]),
    "thoughts and refusals that are sent back": (
        [user("a"), assistant("b", reasoning_content="Hm.", refusal="No."), user("c")],
        ["history:a", "history:b", "history:Hm.", "history:No.", "user:c"],
    ),
}


@pytest.mark.parametrize(("asked", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_is_history_up_to_the_last_turn_of_the_user(asked, expected):
    assert told(chat.compose({"messages": asked})) == expected


def test_tools_and_schemas_stand_between_the_system_messages_and_the_conversation():
    asked = {
        "messages": [{"role": "developer", "content": "Be brief."}, user("2+2?")],
        "tools": [TOOL],
        "functions": [{"name": "sub"}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
    }
    kinds = ["system:Be brief.", "tool_definitions", "tool_definitions", "system", "user:2+2?"]
    assert told(chat.compose(asked)) == kinds


def test_parts_of_a_message_are_told_apart():
    content = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    pieces = chat.compose({"messages": [user(content)]})
    assert told(pieces) == ["user:What is it?", "media", "media", "media"]
    sound, unknown = pieces[2][1], pieces[3][1]
    assert isinstance(sound, Other)
    assert isinstance(unknown, Other)
    # A sound cannot take more tokens than it has bytes; of a file that is only named nobody knows.
    assert (sound.most, unknown.most) == (len(PNG) // 16, EVERYTHING)


def test_the_texts_are_those_of_the_application_and_no_copies():
    text = "2+2?" * 100
    assert chat.compose({"messages": [user(text)]})[0][1] is text


ANTHROPIC = {
    "tools": [{"name": "add", "input_schema": {}}],
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        user("1+1?"),
        assistant([{"type": "text", "text": "2"}]),
        user([{"type": "text", "text": "2+2?"}, {"type": "image", "source": {"type": "base64", "data": PNG}}]),
        assistant([
            {"type": "thinking", "thinking": "Hm.", "signature": "s"},
            {"type": "redacted_thinking", "data": "xyz"},
            {"type": "tool_use", "id": "1", "name": "add", "input": {"a": 2}},
        ]),
        user([
            {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "4"}]},
            {"type": "text", "text": "Go on."},
        ]),
    ],
}  # fmt: skip


def test_anthropic_has_tools_and_system_before_the_conversation_and_results_in_the_turn_of_the_user():
    expected = [
        "tool_definitions", "system:Be brief.", "history:1+1?", "history:2", "user:2+2?", "media", "history:Hm.",
        "history", "history", "tool_results:4", "user:Go on.",
    ]  # fmt: skip
    assert told(messages.compose(ANTHROPIC)) == expected


def test_documents_and_search_results_are_retrieved_where_they_are_new():
    found = [
        {"type": "document", "source": {"type": "text", "data": "A page."}, "title": "Title"},
        {
            "type": "search_result",
            "source": "https://…",
            "title": "Hit",
            "content": [{"type": "text", "text": "Text."}],
        },
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PNG}},
    ]
    asked = [user([*found, {"type": "text", "text": "Why?"}])]
    expected = ["retrieved:Title", "retrieved:A page.", "retrieved:Hit", "retrieved:Text.", "media", "user:Why?"]
    assert told(messages.compose({"messages": asked})) == expected
    again = told(messages.compose({"messages": [*asked, assistant("So."), user("How?")]}))
    assert again[:5] == ["history:Title", "history:A page.", "history:Hit", "history:Text.", "media"]


def test_what_the_provider_found_for_itself_has_no_length_of_its_own():
    result = {"type": "web_search_tool_result", "tool_use_id": "1", "content": [{"encrypted_content": "x" * 5_000}]}
    pieces = messages.compose({"messages": [user("News?"), assistant([result]), user("More?")]})
    kind, content = pieces[1]
    assert isinstance(content, Other)
    assert (kind, content.size, content.most > 5_000) == ("history", 0, True)


RESPONSES = {
    "instructions": "Be brief.",
    "tools": [{"type": "function", "name": "add"}],
    "text": {"format": {"type": "json_schema", "schema": {"type": "object"}, "name": "n"}},
    "previous_response_id": "resp_1",
    "input": [
        {"role": "user", "content": "1+1?"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "2"}]},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "2+2?"}, {"type": "input_image", "image_url": "u"}],
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "xyz"},
        {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "4"},
        {"type": "file_search_call", "queries": ["q"], "results": [{"text": "A page."}]},
        {"type": "item_reference", "id": "msg_1"},
    ],
}


def test_responses_have_what_is_kept_before_what_is_added():
    expected = [
        "system:Be brief.", "tool_definitions", "system", "history", "history:1+1?", "history:2", "user:2+2?", "media",
        "history", "history", "tool_results:4", "history", "retrieved", "history",
    ]  # fmt: skip
    assert told(responses.compose(RESPONSES)) == expected


@pytest.mark.parametrize("kept", [{"previous_response_id": "resp_1"}, {"conversation": "conv_1"}])
def test_what_the_provider_remembers_is_history_of_any_size(kept):
    pieces = responses.compose({"input": "2+2?", **kept})
    assert told(pieces) == ["history", "user:2+2?"]
    assert isinstance(pieces[0][1], Other)
    assert pieces[0][1].most == EVERYTHING


def test_servers_of_tools_are_asked_by_the_provider():
    pieces = responses.compose({"input": "?", "tools": [{"type": "mcp", "server_url": "https://…"}]})
    assert told(pieces) == ["tool_definitions", "tool_definitions", "user:?"]
    assert told(messages.compose({"messages": [user("?")], "mcp_servers": [{"url": "https://…"}]})) == [
        "tool_definitions",
        "user:?",
    ]


CONVERSE = {
    "modelId": "m",
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "toolConfig": {"tools": [{"toolSpec": {"name": "add"}}]},
    "messages": [
        user([{"text": "1+1?"}]),
        assistant([{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": "2"}]),
        user([
            {"text": "2+2?"},
            {"image": {"format": "png", "source": {"bytes": PNG.encode()}}},
            {"document": {"name": "d", "format": "pdf", "source": {"bytes": b"%PDF"}}},
            {"document": {"name": "d", "format": "txt", "source": {"text": "A page."}}},
            {"guardContent": {"text": {"text": "Safe?"}}},
        ]),
        assistant([{"toolUse": {"toolUseId": "1", "name": "add", "input": {"a": 2}}}]),
        user([{"toolResult": {"toolUseId": "1", "content": [{"json": {"sum": 4}}, {"text": "4"}]}}]),
    ],
}  # fmt: skip


def test_converse_says_what_its_blocks_are_by_their_only_key():
    expected = [
        "tool_definitions", "system:Be brief.", "history:1+1?", "history:Hm.", "history:2", "user:2+2?", "media", "media",
        "retrieved:A page.", "user:Safe?", "history", "tool_results", "tool_results:4",
    ]  # fmt: skip
    assert told(converse.compose(CONVERSE)) == expected


def test_a_body_for_bedrock_is_its_vendors():
    nova = {"messages": [user([{"text": "2+2?"}])], "system": [{"text": "Be brief."}]}
    bodies = {
        json.dumps(ANTHROPIC | {"anthropic_version": "bedrock-2023-05-31"}): told(messages.compose(ANTHROPIC)),
        json.dumps(nova): ["system:Be brief.", "user:2+2?"],
        json.dumps({"messages": [user("2+2?")]}): ["user:2+2?"],
        json.dumps({"prompt": "2+2?"}): ["user:2+2?"],
        json.dumps({"inputText": "2+2?"}): ["user:2+2?"],
        json.dumps({"message": "2+2?", "chat_history": [{"role": "USER", "message": "1+1?"}]}): [
            "history:1+1?",
            "user:2+2?",
        ],
    }
    assert {body: told(invoke.compose({"body": body.encode()})) for body in bodies} == bodies


GEMINI = {
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "tools": [{"functionDeclarations": [{"name": "add"}]}],
    "cachedContent": "cachedContents/1",
    "generationConfig": {"responseSchema": {"type": "OBJECT"}},
    "contents": [
        {"role": "user", "parts": [{"text": "1+1?"}]},
        {"role": "model", "parts": [{"text": "2", "thoughtSignature": "abc"}]},
        {"role": "user", "parts": [{"text": "2+2?"}, {"inlineData": {"mimeType": "image/png", "data": PNG}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "add", "args": {"a": 2}}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"sum": 4}}}]},
    ],
}
GEMINI_TOLD = [
    "history", "system:Be brief.", "tool_definitions", "system", "history:1+1?", "history:2", "history", "user:2+2?",
    "media", "history", "tool_results",
]  # fmt: skip


def snaked(value: Any) -> Any:
    """The same in the other spelling, as objects."""
    if isinstance(value, list):
        return [snaked(each) for each in value]
    if not isinstance(value, dict):
        return value
    spelt = {"".join(f"_{c.lower()}" if c.isupper() else c for c in name): snaked(each) for name, each in value.items()}
    return SimpleNamespace(**spelt)


def test_gemini_is_told_in_either_spelling_and_as_objects():
    config = {name: value for name, value in GEMINI.items() if name not in ("contents", "generationConfig")}
    objects = {"model": "m", "contents": snaked(GEMINI["contents"]), "config": snaked(config)}
    assert told(gemini.compose(GEMINI)) == GEMINI_TOLD
    assert told(gemini.compose(objects)) == [kind for place, kind in enumerate(GEMINI_TOLD) if place != 3]


@pytest.mark.parametrize("contents", ["2+2?", ["2+2?"], [{"text": "2+2?"}], {"parts": [{"text": "2+2?"}]}])
def test_gemini_takes_contents_in_short(contents):
    assert told(gemini.compose({"contents": contents})) == ["user:2+2?"]


OTHERS = {
    "cohere v2": (
        cohere.compose,
        {"messages": [user("Why?")], "documents": [{"data": {"text": "A page."}}]},
        ["user:Why?", "retrieved"],
    ),
    "cohere v1": (
        cohere.compose,
        {"preamble": "Be brief.", "message": "Why?", "documents": [{"text": "t"}], "tool_results": [{"outputs": []}]},
        ["system:Be brief.", "user:Why?", "retrieved", "tool_results"],
    ),
    "cohere rerank": (cohere.compose, {"query": "q", "documents": ["a", "b"]}, ["user:q", "retrieved"]),
    "cohere embed": (cohere.compose, {"texts": ["a", "b"]}, ["user:a", "user:b"]),
    "cohere embed, mixed": (
        cohere.compose,
        {"inputs": [{"content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "u"}}]}]},
        ["user:a", "media"],
    ),
    "ollama chat": (
        ollama.compose,
        {"messages": [{"role": "user", "content": "What?", "images": [PNG]}]},
        ["user:What?", "media"],
    ),
    "ollama generate": (
        ollama.compose,
        {"system": "Be brief.", "prompt": "2+2?", "context": [1, 2, 3], "images": [PNG]},
        ["system:Be brief.", "history", "user:2+2?", "media"],
    ),
    "completions": (plain.compose, {"prompt": ["a", "b"]}, ["user:a", "user:b"]),
    "completions of tokens": (plain.compose, {"prompt": [[1, 2], [3]]}, ["user", "user"]),
    "embeddings": (plain.compose, {"input": "a"}, ["user:a"]),
    "speech": (plain.compose, {"instructions": "Cheerfully.", "input": "a"}, ["system:Cheerfully.", "user:a"]),
    "transcription": (plain.recording, {"prompt": "Names."}, ["media", "system:Names."]),
    "interaction": (
        steps.interaction,
        {
            "system_instruction": "Be brief.",
            "previous_interaction_id": "1",
            "input": [
                {"type": "user_input", "content": [{"type": "text", "text": "2+2?"}]},
                {"type": "thought", "signature": "abc"},
                {"type": "function_call", "name": "add", "arguments": {}},
                {"type": "function_result", "call_id": "1", "result": "4"},
            ],
        },
        ["system:Be brief.", "history", "user:2+2?", "history", "history", "tool_results:4"],
    ),
    "interaction of parts": (
        steps.interaction,
        {"input": [{"type": "text", "text": "What?"}, {"type": "image", "data": PNG, "mime_type": "image/png"}]},
        ["user:What?", "media"],
    ),
    "conversation with an agent": (
        steps.conversation,
        {"agent_id": "a", "inputs": [{"type": "message.input", "role": "user", "content": "2+2?"}]},
        ["system", "user:2+2?"],
    ),
    "conversation that goes on": (
        steps.conversation,
        {"inputs": [{"type": "function.result", "tool_call_id": "1", "result": "4"}]},
        ["history", "tool_results:4"],
    ),
}


@pytest.mark.parametrize(("compose", "asked", "expected"), OTHERS.values(), ids=OTHERS)
def test_every_format_tells_its_parts(compose, asked, expected):
    assert told(compose(asked)) == expected


COMPOSED = {
    chat.compose: {"messages": [user("a"), CALLED, GAVE], "tools": [TOOL]},
    messages.compose: ANTHROPIC,
    responses.compose: RESPONSES,
    converse.compose: CONVERSE,
    gemini.compose: GEMINI,
}


MESSAGES = st.fixed_dictionaries({"role": st.sampled_from(tuple(chat.ROLES)), "content": st.text(max_size=2)})


@settings(deadline=None, max_examples=200)
@given(asked=st.lists(MESSAGES, min_size=1, max_size=8))
def test_messages_that_are_only_texts_are_told_like_any_other(asked):
    assert chat.compose({"messages": asked}) == chat.compose({"messages": [each | {"name": "x"} for each in asked]})


@settings(deadline=None, max_examples=30)
@given(data=st.data(), more=st.dictionaries(st.sampled_from(("temperature", "seed", "stream", "user")), st.integers()))
@pytest.mark.parametrize("compose", COMPOSED, ids=lambda compose: compose.__module__.rpartition(".")[2])
def test_the_order_of_fields_and_unrelated_ones_change_nothing(compose, data, more):
    asked = COMPOSED[compose] | more
    shuffled = dict(data.draw(st.permutations(list(asked.items()))))
    assert compose(shuffled) == compose(COMPOSED[compose])


def endless() -> Iterator[Any]:
    while True:
        yield user("2+2?")


deep: list[Any] = []
deep.append({"type": "tool_result", "content": deep})
circle: dict[str, Any] = {}
circle["self"] = circle

ODD = {
    "an iterator of messages": {"messages": endless()},
    "an iterator of parts": {"messages": [user(endless())]},
    "no messages": {"messages": []},
    "a message that is none": {"messages": ["2+2?"]},
    "a role that is not known": {"messages": [{"role": "oracle", "content": "2+2?"}]},
    "no role": {"messages": [{"content": "2+2?"}]},
    "a part that is not known": {"messages": [user([{"type": "hologram", "data": "x" * 1000}])]},
    "a part without a type": {"messages": [user([{"text": "2+2?"}])]},
    "a number for a content": {"messages": [user(4)]},
    "contents without an end": {"messages": [user(deep)]},
    "an iterator among the tools": {"messages": [user("2+2?")], "tools": [endless()]},
    "a circle of tools": {"messages": [user("2+2?")], "tools": [circle]},
    "more messages than anybody reads": {"messages": [user("2+2?")] * 50_001},
    "text": "2+2?",
    "a body that is too long": b" " * (1024 * 1024 + 1),
    "a number": 4,
}


@pytest.mark.parametrize("asked", ODD.values(), ids=ODD)
@pytest.mark.parametrize("compose", [chat.compose, messages.compose], ids=["chat", "messages"])
def test_what_is_not_known_is_not_told(compose, asked):
    with pytest.raises(Unattributable):
        compose(asked)


def test_nothing_is_taken_from_an_iterator():
    source = endless()
    parts = iter([{"type": "text", "text": "first"}])
    for asked in ({"messages": source}, {"messages": [user(parts)]}):
        with pytest.raises(Unattributable):
            chat.compose(asked)
    assert next(parts)["text"] == "first"


def test_what_a_library_leaves_out_is_absent():
    class Omit:
        """As the generated clients have it."""

    assert told(messages.compose({"messages": [user("?")], "system": Omit(), "tools": ...})) == ["user:?"]
