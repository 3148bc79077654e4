"""The scripted provider is understood by the real clients, and what it bills is what we count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from frameworks.script import playing
from frameworks.tree import counted
from frameworks.turn import fails, says, together, uses

TURNS = (
    together(uses("search", 100, 20, 5, place="Rome"), uses("weather", 10, 4, 1, day=1)),
    says("It is warm.", 180, 12, 0, 64),
)
ASKED = [{"role": "user", "content": "How is Rome?"}]


def chat(url: str, streamed: bool) -> Any:
    openai = pytest.importorskip("openai")
    create = openai.OpenAI(base_url=url, api_key="-").chat.completions.create
    options = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    answer = create(model="gpt-5", messages=ASKED, **options)
    return list(answer) if streamed else answer


def responses(url: str, streamed: bool) -> Any:
    openai = pytest.importorskip("openai")
    answer = openai.OpenAI(base_url=url, api_key="-").responses.create(model="gpt-5", input=ASKED, stream=streamed)
    return list(answer) if streamed else answer


def messages(url: str, streamed: bool) -> Any:
    anthropic = pytest.importorskip("anthropic")
    create = anthropic.Anthropic(base_url=url, api_key="-").messages.create
    answer = create(model="claude-opus-5", max_tokens=64, messages=ASKED, stream=streamed)
    return list(answer) if streamed else answer


def gemini(url: str, streamed: bool) -> Any:
    genai = pytest.importorskip("google.genai")
    client = genai.Client(api_key="-", http_options={"base_url": url})
    ask: Callable[..., Any] = client.models.generate_content_stream if streamed else client.models.generate_content
    answer = ask(model="gemini-3.8-flash", contents="How is Rome?")
    return list(answer) if streamed else answer


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("ask", [chat, responses, messages, gemini], ids=lambda ask: ask.__name__)
def test_what_is_billed_is_counted(spans, ask, streamed):
    with playing(*TURNS) as (script, url):
        for _ in TURNS:
            ask(url, streamed)
    assert counted(spans.ours()) == script.billed


def test_a_streamed_chat_says_what_a_whole_one_says(spans):
    with playing(says("It is  warm.", 8, 4)) as (_, url):
        parts = chat(url, streamed=True)
    assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices) == "It is  warm."


def test_embeddings_are_vectors_and_billed(spans):
    openai = pytest.importorskip("openai")
    with playing(says("", 12)) as (script, url):
        told = openai.OpenAI(base_url=url, api_key="-").embeddings.create(model="text-embedding-3-small", input=["ab"])
    assert [round(number * 255) for number in told.data[0].embedding[:3]] == [97, 98, 32]
    assert [tokens.input for tokens in counted(spans.ours())] == [12] == [tokens.input for tokens in script.billed]


def test_what_is_refused_is_not_billed(spans):
    with playing(fails(429), *TURNS) as (script, url):
        chat(url, streamed=False)
    assert counted(spans.ours()) == script.billed == [TURNS[0].tokens]


def test_the_books_say_what_was_billed(metering, books):
    import tokentrace

    with metering() as spans, playing(*TURNS) as (script, url), tokentrace.step("ask"):
        for _ in TURNS:
            chat(url, streamed=False)
    report = books.report(spans.ours())
    assert sum(report["tokens"].values()) == sum(tokens.input + tokens.output for tokens in script.billed)
    assert report["calls"] == len(TURNS)
