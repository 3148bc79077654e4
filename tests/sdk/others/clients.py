"""The clients that trace themselves."""

from __future__ import annotations

from collections.abc import Iterator

from quickstarts import mistral, xai
from shapes import anthropic_messages
from shapes.provider import reply, stream

from others.other import ABSENT, Case, Other, by_itself


def _anthropic() -> Iterator[Case]:
    import anthropic

    def client(url: str) -> anthropic.Anthropic:
        return anthropic.Anthropic(api_key="-", base_url=url)

    ask, tokens = anthropic_messages.ASK, anthropic_messages.TOKENS
    whole, events = (reply(anthropic_messages.body()),), (stream(anthropic_messages.EVENTS),)
    yield Case("message", lambda url: client(url).messages.create(**ask), whole, tokens)
    yield Case("message streamed", lambda url: list(client(url).messages.create(**ask, stream=True)), events, tokens)


def _mistral() -> Iterator[Case]:
    yield Case("chat", mistral.chat, (reply(mistral.ANSWER),), mistral.TOKENS)
    yield Case("chat streamed", mistral.chat_streamed, (stream(mistral.EVENTS),), mistral.TOKENS)


def _xai() -> Iterator[Case]:
    found = {each.name: each for each in xai.CLIENT.quickstarts}
    for name in ("chat", "chat streamed", "chat async"):
        each = found[name]
        yield Case(name, each.run, each.answers, xai.TOKENS, serve=each.serve)


_OWN = "a span of the client's own"

CLIENTS = (
    Other("anthropic itself", ("anthropic._tracing",), by_itself, lambda: tuple(_anthropic()), _OWN, ABSENT),
    Other(
        "mistralai itself",
        ("mistralai.client", "mistralai.extra.observability"),
        by_itself,
        lambda: tuple(_mistral()),
        _OWN,
        ABSENT,
    ),
    Other("xai-sdk itself", ("xai_sdk.telemetry",), by_itself, lambda: tuple(_xai()), _OWN, ABSENT),
)
