"""Other instrumentations of LangChain, each with those of the clients below it where it has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from behaviour.rivals.rival import instrumentors
from shapes import anthropic_messages, google_generate, openai_chat, openai_responses
from shapes.provider import reply, stream

from others.other import AROUND, BESIDE, SAME, Case, Other


def _openai(url: str, **more: Any) -> Any:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-5.6", base_url=url, api_key="-", max_retries=0, stream_usage=True, **more)


def _responses(url: str) -> Any:
    return _openai(url, use_responses_api=True)


def _anthropic(url: str) -> Any:
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model="claude-opus-5", base_url=url, api_key="-", max_retries=0)


def _google(url: str) -> Any:
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(model=google_generate.MODEL, base_url=url, google_api_key="-", max_retries=0)


_MODELS: tuple[tuple[Callable[[str], Any], Any, Any, dict[str, int]], ...] = (
    (_openai, openai_chat.body(), openai_chat.EVENTS, openai_chat.TOKENS),
    (_responses, openai_responses.body(), openai_responses.events(), openai_responses.TOKENS),
    (_anthropic, anthropic_messages.body(), anthropic_messages.EVENTS, anthropic_messages.TOKENS),
    (_google, google_generate.body(), google_generate.EVENTS, google_generate.TOKENS),
)


def _cases() -> Iterator[Case]:
    for model, body, events, tokens in _MODELS:
        yield Case(
            f"{model.__name__} whole", lambda url, model=model: model(url).invoke("Hello"), (reply(body),), tokens
        )
        streamed = (stream(events),)
        yield Case(
            f"{model.__name__} streamed", lambda url, model=model: list(model(url).stream("Hello")), streamed, tokens
        )

        async def drained(url: str, model: Callable[[str], Any] = model) -> Any:
            return [part async for part in model(url).astream("Hello")]

        yield Case(f"{model.__name__} streamed async", drained, streamed, tokens)
        at_once = lambda url, model=model: model(url).batch(["Hello", "Hello"])  # noqa: E731
        yield Case(f"{model.__name__} twice at once", at_once, (reply(body),) * 2, tokens, calls=2)


_LIBRARIES = ("langchain_openai", "langchain_anthropic", "langchain_google_genai")

_ALIKE = "it has the model, the counts and the time of ours, in the same trace"

LANGCHAIN = (
    Other(
        "OpenLLMetry on LangChain",
        (*_LIBRARIES, "opentelemetry.instrumentation.langchain"),
        instrumentors("opentelemetry.instrumentation.langchain:LangchainInstrumentor"),
        lambda: tuple(_cases()),
        "a span without an id, of streams of Anthropic without their input",
        _ALIKE,
    ),
    Other(
        "OpenLLMetry on LangChain and clients",
        (*_LIBRARIES, "opentelemetry.instrumentation.langchain", "opentelemetry.instrumentation.google_generativeai"),
        instrumentors(
            "opentelemetry.instrumentation.langchain:LangchainInstrumentor",
            "opentelemetry.instrumentation.openai:OpenAIInstrumentor",
            "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor",
            "opentelemetry.instrumentation.google_generativeai:GoogleGenerativeAiInstrumentor",
        ),
        lambda: tuple(_cases()),
        "both spans",
        f"{_ALIKE}; {BESIDE}",
    ),
    Other(
        "OpenInference on LangChain",
        (*_LIBRARIES, "openinference.instrumentation.langchain"),
        instrumentors("openinference.instrumentation.langchain:LangChainInstrumentor"),
        lambda: tuple(_cases()),
        "a span with `llm.token_count.*`",
        SAME,
    ),
    Other(
        "OpenTelemetry GenAI on LangChain",
        (*_LIBRARIES, "opentelemetry.instrumentation.genai.langchain", "langchain"),
        instrumentors("opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor"),
        lambda: tuple(_cases()),
        "a span of OpenAI's models",
        f"{AROUND}, or {BESIDE}",
    ),
)
