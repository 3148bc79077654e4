"""The frameworks that trace themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from shapes import anthropic_messages, google_generate, openai_chat
from shapes.provider import reply, stream

from others.other import Case, Other, by_itself

OPENAI, CLAUDE, GEMINI = "gpt-5.6", "claude-opus-5", google_generate.MODEL


def _pydantic_openai(url: str) -> Any:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return OpenAIChatModel(OPENAI, provider=OpenAIProvider(base_url=url, api_key="-"))


def _pydantic_anthropic(url: str) -> Any:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = anthropic.AsyncAnthropic(base_url=url, api_key="-")
    return AnthropicModel(CLAUDE, provider=AnthropicProvider(anthropic_client=client))


def _pydantic_google(url: str) -> Any:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    return GoogleModel(GEMINI, provider=GoogleProvider(api_key="-", base_url=url))


def _pydantic() -> Iterator[Case]:
    from pydantic_ai import Agent

    def whole(model: Callable[[str], Any]) -> Callable[[str], Any]:
        return lambda url: asyncio.run(Agent(model(url)).run("Hello")).output

    def streamed(model: Callable[[str], Any]) -> Callable[[str], Any]:
        async def run(url: str) -> Any:
            async with Agent(model(url)).run_stream("Hello") as result:
                return await result.get_output()

        return run

    for model, shapes in ((_pydantic_openai, openai_chat), (_pydantic_google, google_generate)):
        yield Case(f"{model.__name__} whole", whole(model), (reply(shapes.body()),), shapes.TOKENS)
    # It asks Anthropic for a stream either way.
    told = (
        (_pydantic_openai, openai_chat),
        (_pydantic_google, google_generate),
        (_pydantic_anthropic, anthropic_messages),
    )
    for model, shapes in told:
        yield Case(f"{model.__name__} streamed", streamed(model), (stream(shapes.EVENTS),), shapes.TOKENS)


def _trace_pydantic(_provider: TracerProvider) -> None:
    from pydantic_ai import Agent

    Agent.instrument_all()


def _adk() -> Iterator[Case]:
    from google.adk.agents import LlmAgent, RunConfig
    from google.adk.agents.run_config import StreamingMode
    from google.adk.models.google_llm import Gemini
    from google.adk.runners import InMemoryRunner
    from google.genai import Client, types

    class Local(Gemini):
        """A model on loopback."""

        url: str

        @property
        def api_client(self) -> Client:
            return Client(api_key="-", http_options=types.HttpOptions(base_url=self.url))

    def run(mode: StreamingMode) -> Callable[[str], Any]:
        async def asked(url: str) -> Any:
            agent = LlmAgent(name="helper", model=Local(model=GEMINI, url=url), instruction="Help.")
            runner = InMemoryRunner(agent=agent, app_name="app")
            session = await runner.session_service.create_session(app_name="app", user_id="ann")
            message = types.Content(role="user", parts=[types.Part(text="Hello")])
            asking = {"user_id": "ann", "session_id": session.id, "new_message": message}
            return [event async for event in runner.run_async(**asking, run_config=RunConfig(streaming_mode=mode))]

        return asked

    shapes = google_generate
    yield Case("agent", run(StreamingMode.NONE), (reply(shapes.body()),), shapes.TOKENS)
    yield Case("agent streamed", run(StreamingMode.SSE), (stream(shapes.EVENTS),), shapes.TOKENS)


def _strands() -> Iterator[Case]:
    from strands import Agent
    from strands.models.anthropic import AnthropicModel
    from strands.models.openai import OpenAIModel

    def twice(model: Callable[[dict[str, Any]], Any]) -> Callable[[str], Any]:
        def run(url: str) -> Any:
            agent = Agent(model=model({"api_key": "-", "base_url": url}), callback_handler=None)
            return [str(agent(question)) for question in ("Hello", "Again")]

        return run

    openai = twice(lambda options: OpenAIModel(client_args=options, model_id=OPENAI))
    claude = twice(lambda options: AnthropicModel(client_args=options, model_id=CLAUDE, max_tokens=100))
    yield Case("openai, two turns", openai, (stream(openai_chat.EVENTS),) * 2, openai_chat.TOKENS, calls=2)
    yield Case(
        "anthropic, two turns", claude, (stream(anthropic_messages.EVENTS),) * 2, anthropic_messages.TOKENS, calls=2
    )


FRAMEWORKS = (
    Other(
        "Pydantic AI",
        ("pydantic_ai",),
        _trace_pydantic,
        lambda: tuple(_pydantic()),
        "a span of the model; sums on the agent",
    ),
    Other("Google ADK", ("google.adk",), by_itself, lambda: tuple(_adk()), "a span of the model, without an id"),
    Other(
        "Strands",
        ("strands",),
        by_itself,
        lambda: tuple(_strands()),
        "a span of the model, without an id; sums since it began on the agent",
    ),
)
