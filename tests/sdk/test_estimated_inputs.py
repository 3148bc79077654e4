"""What a prompt takes of which nobody reported the count: tools, calls, and what only the provider can read."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tokentrace.estimation import pictures
from tokentrace.estimation.families import family, framing
from tokentrace.estimation.inputs import Count
from tokentrace.estimation.tokenizers import tokenizer
from tokentrace.usage.prompt import Piece, held, image, kept, structured
from tokentrace.wire.prompts import chat, messages

SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: Mapping[str, Any] = {"name": "weather", "description": "The weather in a city.", "parameters": SCHEMA}
QUESTION = {"role": "user", "content": "How is the weather in Paris?"}


def counted(pieces: list[Piece], model: str = "gpt-4o", provider: str = "openai", fmt: str = "chat") -> Count:
    count = Count(tokenizer(family(model).encoding), model, framing(model, provider, fmt))
    count.prompt(pieces, thinks=False)
    return count


def tools(*definitions: Any) -> list[Piece]:
    asked = {"tools": [{"type": "function", "function": each} for each in definitions], "messages": [QUESTION]}
    return chat.compose(asked)


def test_gpt_reads_tools_as_typescript(ranks):
    told = {"type": "object", "title": "Place", "required": ["a"], "properties": {
        "a": {"type": "integer", "description": "How far"},
        "b": {"enum": ["x", "y"], "default": "x"},
        "c": {"type": "array", "items": {"$ref": "#/$defs/Inner"}},
        "d": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "e": {"type": ["number", "null"]},
    }, "$defs": {"Inner": {"type": "object", "properties": {"z": {"type": "boolean"}}}}}  # fmt: skip
    rendered = """namespace functions {

// What it does
type f = (_: // Place
{
// How far
a: number,
b?: "x" | "y", // default: x
c?: {
z?: boolean,
}[],
d?: string | null,
e?: number | null,
}) => any;

// Nothing is asked for
type g = () => any;

} // namespace functions"""
    definitions = (
        {"name": "f", "description": "What it does", "parameters": told},
        {"name": "g", "description": "Nothing is asked for", "parameters": {"type": "object", "properties": {}}},
    )
    beside = counted(tools(*definitions)).tokens - counted(chat.compose({"messages": [QUESTION]})).tokens
    assert beside == tokenizer("o200k_base").tokens(rendered) + framing("gpt-4o", "openai", "chat").tools


def test_a_schema_that_refers_to_itself_comes_to_an_end():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "lost": {"$ref": "#/$defs/none"}}}
    assert counted(tools({"name": "f", "parameters": node})).slack is not None


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else {}


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "f", "parameters": {"type": "object", "required": True, "properties": {"a": {"required": True}}}},
        {"name": "f", "parameters": {(1, 2): "a key that is no text"}, "format": {(1, 2): 3}},
        {"name": "f", "description": "deep", "format": nested(900), "parameters": {"properties": {"a": nested(900)}}},
        {"name": 5, "description": ["a"], "parameters": {"properties": {"a": 5, "b": {"enum": [None, 1]}}}},
    ],
    ids=["required", "keys", "depth", "types"],
)
def test_whatever_stands_in_a_definition_it_is_counted(definition):
    assert counted(tools(definition)).tokens > counted(chat.compose({"messages": [QUESTION]})).tokens


def test_definitions_that_were_changed_after_the_call_are_known_by_their_size_alone(ranks):
    definition = {**WEATHER}
    pieces = tools(definition)
    before = counted(pieces)
    definition["description"] = "something else " * 1000
    after = counted(pieces)
    assert (after.tokens == pytest.approx(before.tokens, rel=0.5), after.slack > before.slack) == (True, True)


def test_objects_of_a_library_are_counted_like_their_json(ranks):
    @dataclass
    class Tool:
        name: str
        description: str
        parameters: Any
        strict: Any = None

    plain = counted([structured("tool_definitions", [WEATHER])])
    told = counted([structured("tool_definitions", [Tool(**WEATHER)])])
    assert (told.tokens, told.slack) == (plain.tokens, plain.slack)


def test_a_function_that_stands_for_a_tool_is_known_by_its_size_alone():
    def weather(city: str) -> str:
        """The weather in a city."""
        return city

    count = counted([structured("tool_definitions", [weather])], "gemini-2.5-flash", "gcp.gemini", "gemini")
    assert count.tokens > 0
    assert count.slack is not None


def test_tools_that_claude_loads_later_may_be_read_or_not(ranks):
    definition = {"name": "weather", "description": "The weather in a city.", "input_schema": SCHEMA}
    asked = {"messages": [QUESTION], "tools": [definition]}
    later = {"messages": [QUESTION], "tools": [{**definition, "defer_loading": True}]}
    first, second = (
        counted(messages.compose(each), "claude-sonnet-4-5", "anthropic", "messages") for each in (asked, later)
    )
    assert (second.tokens < first.tokens, second.slack > first.slack) == (True, True)


def test_each_call_of_a_tool_takes_more_than_its_arguments(ranks):
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    one, two = (
        counted(chat.compose({"messages": [QUESTION, {"role": "assistant", "tool_calls": [call] * many}, QUESTION]}))
        for many in (1, 2)
    )
    assert two.tokens - one.tokens == pytest.approx(
        tokenizer("o200k_base").tokens('weather {"city":"Paris"}') + 12, abs=1
    )


def test_what_the_provider_has_kept_has_no_bound():
    assert counted([kept("history", "resp_1"), ("user", "And then?")]).slack is None


@pytest.mark.parametrize(
    ("model", "provider", "of"),
    [("qwen3:4b", "ollama", "qwen3"), ("gemma-3", "gcp.gemini", "nothing"), ("gpt-5", "azure.ai.openai", "gpt-5")],
)
def test_the_framing_is_that_of_the_model_whoever_runs_it(model, provider, of):
    assert framing(model, provider, "responses") == framing(of, "", "responses")


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


PICTURES = {
    "png": png(640, 480),
    "gif": b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(9),
    "jpeg": b"\xff\xd8\xff\xe1\x00\x06EXIF\xff\xc0\x00\x11\x08" + struct.pack(">HH", 480, 640) + bytes(9),
    "webp": b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + struct.pack("<HH", 640, 480),
    "lossless webp": b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14) + bytes(3),
    "extended webp": b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x7f\x02\0\xdf\x01\0",
}


@pytest.mark.parametrize("content", PICTURES.values(), ids=PICTURES)
def test_a_picture_says_how_large_it_is(content):
    text = base64.b64encode(content).decode()
    for given in (content, text, f"data:image/png;base64,{text}"):
        assert pictures.size(given) == (640, 480)


@pytest.mark.parametrize("given", ["", "https://example.com/a.png", "data:image/png", b"%PDF-1.7", b"\xff\xd8\xff"])
def test_what_is_no_picture_has_no_size(given):
    assert pictures.size(given) is None


@pytest.mark.parametrize(
    ("model", "size", "detail", "expected"),
    [
        ("gpt-4o", (1024, 1024), "high", (765, 765)),
        ("gpt-4o", (2048, 4096), "high", (1105, 1105)),
        ("gpt-4o", (4096, 8192), "low", (85, 85)),
        ("gpt-4o-mini", (128, 64), "high", (8500, 8500)),
        ("claude-haiku-4-5", (1024, 1024), None, (1369, 1369)),
        ("claude-sonnet-5", (1920, 1080), None, (1450, 2691)),
        ("gemini-2.5-flash", (300, 300), None, (258, 258)),
        ("gpt-5.5", (256, 256), None, (pytest.approx(76.8), pytest.approx(76.8))),
        ("another", (300, 300), None, None),
    ],
)
def test_a_picture_takes_what_its_provider_publishes(model, size, detail, expected):
    assert pictures.tokens(png(*size), detail, model) == expected


def test_a_picture_narrows_the_bound_of_its_prompt():
    url = "data:image/png;base64," + base64.b64encode(png(1024, 1024)).decode()
    known, unknown = (
        counted(chat.compose({"messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": source, "detail": "high"}},
        ]}]}))
        for source in (url, "https://example.com/a.png")
    )  # fmt: skip
    assert known.tokens == pytest.approx(765 + 11, abs=4)
    assert (known.slack < 10, unknown.slack > 1000) == (True, True)


def test_a_picture_counts_as_what_waits_in_memory():
    assert held(image("x" * 3000)[1]) == 3000
    assert held(image(object())[1]) == 0


@pytest.mark.parametrize(("model", "times"), [("sonar", 2), ("nova-2-lite", 1.5), ("gpt-4o", 1)])
def test_what_rests_on_few_recordings_is_stated_wider(ranks, model, times):
    """The widest of n errors that are spread evenly reaches n parts of n + 1 of what they can be."""
    frame = framing(model, "anyone", "chat")
    widest = Count(tokenizer(family(model).encoding), model, frame._replace(few=0))
    stated = Count(tokenizer(family(model).encoding), model, frame)
    for count in (widest, stated):
        count.prompt(chat.compose({"messages": [QUESTION]}), thinks=False)
    assert (stated.tokens, stated.slack) == (widest.tokens, pytest.approx(times * widest.slack))


def test_the_prompt_of_a_model_that_nobody_has_recorded_is_hardly_known(ranks):
    prompt = chat.compose({"messages": [QUESTION]})
    assert (counted(prompt, "a-new-model").slack or 0) > 10 * (counted(prompt).slack or 0)
