"""The loopback provider answers the real clients in their own shapes, and counts like the providers do."""

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import types

from tokentrace_collector.demo import story
from tokentrace_collector.demo.provider import Provider


@pytest.fixture
def addresses():
    with Provider() as provider:
        yield provider.addresses


@pytest.fixture
def gpt(addresses):
    with openai.OpenAI(
        base_url=f"http://{addresses['openai']}/v1", api_key="x", _strict_response_validation=True
    ) as client:
        yield client


@pytest.fixture
def claude(addresses):
    address = f"http://{addresses['anthropic']}"
    with anthropic.Anthropic(base_url=address, api_key="x", _strict_response_validation=True) as client:
        yield client


def respond(client, effort):
    request = story.task("plan", "")
    return client.responses.create(
        model="m", instructions=story.house_rules(), input=request, reasoning={"effort": effort}
    ).usage


def chat(client, name):
    request = [{"role": "user", "content": story.task(name, story.house_rules())}]
    return client.chat.completions.create(model="m", messages=request, reasoning_effort="none")


def ask(client, name="draft", **more):
    return client.messages.create(
        model="m", max_tokens=9, messages=[{"role": "user", "content": story.task(name, story.filings())}], **more
    )


def test_a_reasoning_model_bills_what_it_does_not_show(gpt):
    assert respond(gpt, "medium").output_tokens_details.reasoning_tokens == story.THINKING["plan"]


def test_reasoning_can_be_switched_off(gpt):
    assert respond(gpt, "none").output_tokens_details.reasoning_tokens == 0


def test_a_long_prefix_is_written_once_and_read_from_then_on(gpt):
    first, second = (respond(gpt, "none").input_tokens_details for _ in range(2))
    assert (first.cached_tokens, second.cache_write_tokens) == (0, 0)
    assert first.cache_write_tokens == second.cached_tokens > 1024


def test_the_client_gets_over_one_refusal_by_itself(gpt):
    answer = gpt.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": story.task("headline", "")}]
    )
    assert (answer.retries_taken, answer.parse().choices[0].message.content) == (1, story.ANSWERS["headline"])


def test_a_server_of_ones_own_says_no_more_than_totals(addresses):
    with openai.OpenAI(base_url=f"http://{addresses['self_hosted']}/v1", api_key="x") as client:
        usage = chat(client, "translate").usage
    assert (usage.prompt_tokens > 1000, usage.prompt_tokens_details) == (True, None)


def test_a_message_is_whole(claude):
    answer = ask(claude)
    assert (answer.content[0].text, answer.stop_reason) == (story.ANSWERS["draft"], "end_turn")


def test_the_first_stream_of_the_draft_is_lost_in_the_middle(claude):
    events = iter(ask(claude, stream=True))
    opening = next(events)
    with pytest.raises(httpx2.RemoteProtocolError):
        list(events)
    assert (opening.type, opening.message.usage.output_tokens) == ("message_start", 1)


def test_the_second_stream_of_the_draft_is_whole(claude):
    with pytest.raises(httpx2.RemoteProtocolError):
        list(ask(claude, stream=True))
    with claude.messages.stream(
        model="m", max_tokens=9, messages=[{"role": "user", "content": story.task("draft", story.filings())}]
    ) as stream:
        assert stream.get_final_text() == story.ANSWERS["draft"]


def test_a_marked_prefix_is_cached_by_the_message(claude):
    marked = [{"type": "text", "text": story.filings(), "cache_control": {"type": "ephemeral"}}]
    first, second = (ask(claude, system=marked).usage for _ in range(2))
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens > 1024


def test_gemini_counts_thoughts_beside_the_answer(addresses):
    options = types.HttpOptions(base_url=f"http://{addresses['gcp.gemini']}")
    with genai.Client(api_key="x", http_options=options) as client:
        usage = client.models.generate_content(model="m", contents=story.task("search_web", "")).usage_metadata
    assert usage.total_token_count == (
        usage.prompt_token_count + usage.candidates_token_count + story.THINKING["search_web"]
    )


def test_what_is_not_served_is_not_found(gpt):
    with pytest.raises(openai.NotFoundError):
        gpt.embeddings.create(model="m", input="x")
