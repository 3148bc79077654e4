"""What the input of an agent's calls is made of, through the real clients, whatever the application does meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from quickstarts.loopback import http
from shapes import anthropic_messages, google_generate, openai_chat, openai_responses
from shapes.provider import Provider, reply

TOOL = {"name": "add", "description": "Add two numbers.", "parameters": {"type": "object", "properties": {}}}


def segments(spans: Any) -> list[list[str]]:
    """The kinds of every call, in prompt order; each call is checked to add up."""
    found: list[list[str]] = []
    for span in spans.ours():
        told = span.attributes
        shares = [int(segment.partition(":")[2]) for segment in told["tokentrace.input.segments"]]
        kinds = [value for name, value in told.items() if name.startswith("tokentrace.input.")]
        counts = [count for count in kinds if isinstance(count, int)]
        assert sum(shares) == sum(counts) == told["gen_ai.usage.input_tokens"]
        found.append([segment.partition(":")[0] for segment in told["tokentrace.input.segments"]])
    return found


@pytest.fixture
def provider():
    """Answers every request with the same body."""

    def answer(body: Any, times: int = 1) -> Any:
        return http(Provider((reply(body),) * times))

    return answer


def test_an_agent_at_openai(spans, provider):
    from openai import OpenAI

    tools = [{"type": "function", "function": TOOL}]
    conversation: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}]
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    body = openai_chat.SURFACE["complete"].answers[0].parts[0]
    with provider(json.loads(body), 3) as url:
        client = OpenAI(api_key="-", base_url=url)
        ask = client.chat.completions.create
        ask(model="gpt-6", messages=conversation, tools=tools)
        conversation += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "1", "content": "The sum of the two is 4."},
        ]
        answer = ask(model="gpt-6", messages=conversation, tools=tools)
        conversation += [answer.choices[0].message, {"role": "user", "content": "And 3+3?"}]
        ask(model="gpt-6", messages=conversation, tools=tools)
    assert segments(spans) == [
        ["system", "tool_definitions", "user"],
        ["system", "tool_definitions", "user", "history", "tool_results"],
        ["system", "tool_definitions", "history", "user"],
    ]
    repeated = [span.attributes["tokentrace.prefix.repeated"] for span in spans.ours()]
    assert repeated[0] == 0
    assert all(
        0 < count < span.attributes["gen_ai.usage.input_tokens"]
        for count, span in zip(repeated[1:], spans.ours()[1:], strict=True)
    )


def test_a_conversation_that_goes_on_while_it_is_read(spans):
    shape = openai_chat.SURFACE["streamed"]
    from openai import OpenAI

    conversation: list[Any] = [{"role": "user", "content": "2+2?"}]
    with http(Provider(shape.answers)) as url:
        for _ in OpenAI(api_key="-", base_url=url).chat.completions.create(
            model="gpt-6", messages=conversation, stream=True, stream_options={"include_usage": True}
        ):
            conversation.append({"role": "assistant", "content": "4"})
            conversation[0]["content"] = "?"
    assert segments(spans) == [["user"]]


def test_an_agent_at_anthropic(spans, provider):
    from anthropic import Anthropic

    conversation: list[Any] = [
        {"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "add", "input": {"a": 2}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "4"}]},
    ]
    with provider(anthropic_messages.body()) as url:
        Anthropic(api_key="-", base_url=url).messages.create(
            model="claude-opus-5",
            max_tokens=64,
            system="Be brief.",
            tools=[{"name": "add", "input_schema": {"type": "object"}}],
            messages=conversation,
        )
    assert segments(spans) == [["tool_definitions", "system", "user", "history", "tool_results"]]


def test_objects_that_were_answered_are_sent_back(spans):
    shape = openai_responses.SURFACE["complete"]
    from openai import OpenAI

    with http(Provider(shape.answers * 2)) as url:
        client = OpenAI(api_key="-", base_url=url)
        first = client.responses.create(model="gpt-6", instructions="Be brief.", input="2+2?")
        again: list[Any] = [{"role": "user", "content": "2+2?"}, *first.output, {"role": "user", "content": "Sure?"}]
        client.responses.create(model="gpt-6", instructions="Be brief.", input=again)
    assert segments(spans) == [["system", "user"], ["system", "history", "user"]]


def test_functions_and_classes_that_google_describes_to_the_model(spans):
    import pydantic
    from google import genai
    from google.genai import types

    class Answer(pydantic.BaseModel):
        sum: int

    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    with http(Provider(google_generate.GEMINI["complete"].answers)) as url:
        client = genai.Client(api_key="-", http_options=types.HttpOptions(base_url=url))
        client.models.generate_content(
            model="gemini-3-pro",
            contents=[
                types.Content(role="user", parts=[types.Part(text="1+1?")]),
                types.Content(role="model", parts=[types.Part(text="2")]),
                types.Content(role="user", parts=[types.Part(text="2+2?")]),
            ],
            config=types.GenerateContentConfig(system_instruction="Be brief.", tools=[add], response_schema=Answer),
        )
    assert segments(spans) == [["system", "tool_definitions", "system", "history", "user"]]


def test_what_is_not_known_is_left_out(spans, provider):
    from openai import OpenAI

    body = json.loads(openai_chat.SURFACE["complete"].answers[0].parts[0])
    odd: Any = [{"role": "user", "content": [{"type": "hologram", "data": "x"}]}]
    with provider(body) as url:
        OpenAI(api_key="-", base_url=url).chat.completions.create(model="gpt-6", messages=odd)
    (span,) = spans.ours()
    assert [name for name in span.attributes if name.startswith(("tokentrace.input", "tokentrace.prefix"))] == []
    assert span.attributes["gen_ai.usage.input_tokens"] > 0
