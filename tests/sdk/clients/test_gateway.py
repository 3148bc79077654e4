"""A LiteLLM proxy says in its headers what it did: who answered, with which model, at what cost."""

from __future__ import annotations

import pytest
from quickstarts import compatible
from shapes.provider import Provider, http_of, reply, stream

openai = pytest.importorskip("openai")

USAGE = {"prompt_tokens": 46, "completion_tokens": 42, "total_tokens": 88}
PROXY = "http://proxy.internal:4000"
ANSWERED = ("gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "tokentrace.cost.reported")
COST = ("tokentrace.cost.reported", "tokentrace.cost.reporter")
BEHIND = {
    "x-litellm-version": "1.106.2",
    "x-litellm-model-name": "anthropic/claude-opus-5",
    "x-litellm-model-api-base": "https://api.anthropic.com/v1/messages",
    "x-litellm-response-cost": "1.28e-05",
}


def _ask(answer, *, base=PROXY, streamed=False, model="smart"):
    http, provider = http_of("openai._base_client"), Provider((answer,))
    sender = http.Client(transport=provider.transport(http))
    client = openai.OpenAI(api_key="-", base_url=base, http_client=sender, max_retries=0)
    answered = client.chat.completions.create(model=model, messages=[], stream=streamed)
    return list(answered) if streamed else answered


def _said(spans):
    told = spans.only()
    return tuple(told.get(key) for key in ANSWERED)


def test_a_call_is_the_one_that_the_proxy_made(spans):
    _ask(reply(compatible.completion("smart", USAGE), **BEHIND))
    assert _said(spans) == ("anthropic", "smart", "claude-opus-5", "0.0000128")


def test_the_headers_of_a_stream_come_before_its_cost(spans):
    headers = {name: told for name, told in BEHIND.items() if name != "x-litellm-response-cost"}
    events = stream(compatible.chunks("smart", USAGE))
    _ask(type(events)(200, {**events.headers, **headers}, events.parts), streamed=True)
    assert _said(spans) == ("anthropic", "smart", "claude-opus-5", None)


def test_what_the_answer_says_of_its_cost_goes_before_the_headers(spans):
    """LiteLLM passes it on in a whole answer."""
    behind = {**BEHIND, "x-litellm-model-name": "openrouter/x/y", "x-litellm-model-api-base": "https://openrouter.ai"}
    _ask(reply(compatible.completion("smart", USAGE | {"cost": 0.5}), **behind))
    assert [spans.only()[key] for key in COST] == ["0.5", "openrouter"]


def test_a_cost_in_the_headers_is_what_litellm_computed(spans):
    _ask(reply(compatible.completion("smart", USAGE), **BEHIND))
    assert [spans.only()[key] for key in COST] == ["0.0000128", "litellm"]


@pytest.mark.parametrize(
    ("cost", "reporter"), [({"cost": 0.5}, "litellm"), ({"cost": 0.5, "cost_in_usd_ticks": 5_000_000_000}, "x_ai")]
)
def test_a_cost_in_a_stream_may_be_what_litellm_computed(spans, cost, reporter):
    """It writes its own over the provider's there, where it is set up to; but never in ticks."""
    events = stream(compatible.chunks("smart", USAGE | cost))
    headers = {**events.headers, "x-litellm-model-name": "xai/grok-4"}
    _ask(type(events)(200, headers, events.parts), streamed=True)
    assert spans.only()["tokentrace.cost.reporter"] == reporter


def test_a_cost_without_a_proxy_is_the_word_of_the_provider(spans):
    _ask(reply(compatible.completion("smart", USAGE | {"cost": 0.5})), base="https://openrouter.ai/api/v1")
    assert [spans.only()[key] for key in COST] == ["0.5", "openrouter"]


def test_who_says_nothing_of_a_cost_reports_none(spans):
    _ask(reply(compatible.completion("smart", USAGE)))
    assert not spans.only().keys() & set(COST)


def test_a_model_that_the_answer_names_is_believed(spans):
    _ask(reply(compatible.completion("claude-opus-5-20260901", USAGE), **BEHIND))
    assert _said(spans)[2] == "claude-opus-5-20260901"


@pytest.mark.parametrize(
    ("headers", "provider", "model"),
    [
        ({"model-name": "azure/mine", "model-api-base": "https://mine.openai.azure.com/"}, "azure.ai.openai", "mine"),
        ({"model-name": "bedrock/us.anthropic.claude-opus-5"}, "aws.bedrock", "us.anthropic.claude-opus-5"),
        ({"model-name": "openai/gpt-6-sol"}, "openai", "gpt-6-sol"),
        ({"model-name": "openai/llama", "model-api-base": "http://gpu.internal:8000/v1"}, "litellm", "llama"),
        ({"model-name": "openai/llama", "model-api-base": "http://10.0.0.7:8000/v1"}, "vllm", "llama"),
        ({"model-name": "meta/llama-4/x"}, "meta", "llama-4/x"),
        ({"model-name": "gpt-6-sol"}, "litellm", "gpt-6-sol"),
        ({"model-api-base": "https://api.groq.com/openai/v1"}, "groq", "smart"),
        ({"model-api-base": "http://[nonsense"}, "litellm", "smart"),
        ({"model-id": "a1b2"}, "litellm", "smart"),
    ],
)
def test_the_provider_is_told_by_the_deployment_and_its_address(metering, headers, provider, model):
    told = {f"x-litellm-{name}": value for name, value in headers.items()}
    with metering(hosts={"10.0.0.7:8000": "vllm"}) as spans:
        _ask(reply(compatible.completion("smart", USAGE), **told))
    assert (_said(spans)[0], _said(spans)[2]) == (provider, model)


def test_counts_are_those_of_the_proxy_whoever_answered(spans):
    """LiteLLM counts the reasoning of Grok inside of its output, where xAI counts it beside."""
    usage = {"prompt_tokens": 10, "completion_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 30}}
    _ask(reply(compatible.completion("smart", usage), **{"x-litellm-model-name": "xai/grok-4"}))
    told = spans.only()
    assert (told["gen_ai.provider.name"], told["gen_ai.usage.output_tokens"]) == ("x_ai", 40)


def test_a_refusal_of_the_proxy_costs_nothing(spans):
    with pytest.raises(openai.APIStatusError):
        _ask(type(reply({}))(429, {**BEHIND, "x-litellm-response-cost": "0"}, (b"{}",)))
    assert _said(spans) == ("openai", "smart", None, None)


@pytest.mark.parametrize(("named", "provider"), [("litellm", "anthropic"), ("self_hosted", "self_hosted")])
def test_who_a_host_is_said_to_be_it_stays(metering, named, provider):
    with metering(hosts={"proxy.internal": named}) as spans:
        _ask(reply(compatible.completion("smart", USAGE), **BEHIND))
    assert _said(spans)[0] == provider


def test_no_proxy_stands_before_the_host_of_a_provider(spans):
    _ask(reply(compatible.completion("smart", USAGE), **BEHIND), base="https://api.groq.com/openai/v1")
    assert _said(spans) == ("groq", "smart", "smart", None)
