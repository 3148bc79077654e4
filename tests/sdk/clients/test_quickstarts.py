"""Code that users copy gives the same result when it is metered, and its calls count once.

Together it goes through every seam, and asks for every endpoint, that a client module knows.
"""

from __future__ import annotations

import gc
import warnings
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from passages import INTEGRATIONS, Passages, Place, is_whole, seams
from quickstarts.all import clients
from quickstarts.quickstart import take
from releases import is_newest
from shapes import google_generate as google, openai_others
from shapes.record import is_call, said
from shapes.shape import MODES, take as take_shape

# What a release has is seen by importing it, and old ones warn of what they do.
with warnings.catch_warnings(action="ignore"):
    QUICKSTARTS = {
        f"{client.library}-{quickstart.name}": quickstart
        for client in clients()
        if client.is_installed
        for quickstart in client.quickstarts
        if quickstart.needs is None or quickstart.needs()
    }
    SHAPES = [
        (surface, surface[name], mode)
        for surface in (openai_others.COMPLETIONS, openai_others.EMBEDDINGS, google.GEMINI, google.EMBEDDINGS)
        if find_spec(surface.name.partition(" ")[0].replace("-", ".")) is not None
        for name in ("complete", "streamed")
        if name in surface
        for mode in MODES
    ]
"""The plain calls that have shapes instead of quick starts."""

NEWEST = [each for each in INTEGRATIONS if is_newest(each.library) and is_whole(each.library)]
UNCALLED: dict[Place, str] = {
    ("google.genai.live", "AsyncSession.close"): "is for a session by hand; its `async with` hangs up by itself",
    ("aiohttp.client", "ClientSession._request"): "is sent through by the tests of google-genai over aiohttp",
    ("google.genai.batches", "AsyncBatches._create_embeddings"): "has the form of AsyncBatches._create",
    ("google.genai.models", "AsyncModels.recontext_image"): "has the form of Models.recontext_image",
    ("google.genai.models", "Models.segment_image"): "has the form of Models.recontext_image",
    ("xai_sdk.aio.video", "Client.start"): "has the form of xai_sdk.sync.video's",
    ("xai_sdk.sync.video", "Client.extend_start"): "has the form of xai_sdk.aio.video's",
}
"""Seams that no quick start goes through, and why."""
UNASKED = {"anthropic": {"post .*/v1/complete"}}
"""Endpoints of older releases only, by library: there the quick starts ask for them."""


@pytest.fixture(scope="module")
def passages():
    with pytest.MonkeyPatch.context() as patch:
        watching = Passages()
        watching.watch(patch)
        yield watching


@pytest.mark.filterwarnings("ignore")  # Of the clients' own making: what users see, they see without us.
@pytest.mark.parametrize("name", QUICKSTARTS)
def test_a_quickstart_stays_what_it_was_and_counts_once(metering, passages, name):
    quickstart = QUICKSTARTS[name]
    with ExitStack() as stack:
        began = []
        bare = take(quickstart)
        metered = take(quickstart, lambda: began.append(stack.enter_context(metering())))
        gc.collect()
        passages.taken.add(name)
        assert metered == bare
        calls = [span for span in began[0].ours() if is_call(span)]
        assert tuple(map(said, calls)) == quickstart.calls
        undivided = [span.name for span in calls if not is_divided(span)]
        assert not undivided or quickstart.name in UNDIVIDED
        if quickstart.name == "chat" and (kinds := KINDS.get(quickstart.run.__module__)):
            assert [composition(span) for span in calls] == [kinds]


BY_HAND = ("realtime", "beta.realtime", "responses", "beta.responses")
UNDIVIDED = {
    "invoke claude streamed": "has no messages",
    **dict.fromkeys(("invoke", *(f"invoke {how}" for how in ("with", "in pieces", "by lines", "unread"))), "as above"),
    "live": "speaks in a session",
    "live left in a turn": "as above",
    "runs async streamed": "asks with a thread that the provider keeps",
    **dict.fromkeys(("realtime", "realtime async", "realtime beta", "realtime with several responses"), "a session"),
    **{f"{session}, by hand too{how}": "a session" for session in BY_HAND for how in ("", ", async")},
    "live with searches": "speaks in a session",
    "caches": "stores what later calls send",
    "caches at Vertex AI async": "as above",
    "context compacted": "hands over the messages of a chat",
    "context compacted async": "as above",
    "systemone": "has no messages",
    **dict.fromkeys(("Bedrock", "Bedrock streamed", "Bedrock embed"), "is rewritten for another provider"),
    **dict.fromkeys(("Oracle", "Oracle v2", "Oracle v2 streamed"), "is rewritten for another provider"),
    **dict.fromkeys((f"responses over a websocket{how}" for how in ("", " async", " in lanes")), "a session"),
}
"""Quick starts whose requests do not tell what the input is made of, and why."""

KINDS = {
    "quickstarts.anthropic": ["user"],
    "quickstarts.azure_ai_inference": ["system", "user"],
    "quickstarts.cerebras": ["media", "user"],
    "quickstarts.cohere": ["user"],
    "quickstarts.fireworks": ["user"],
    "quickstarts.groq": ["user"],
    "quickstarts.huggingface": ["user"],
    "quickstarts.mistral": ["user"],
    "quickstarts.ollama": ["user"],
    "quickstarts.openai": ["system", "user"],
    "quickstarts.together": ["user"],
    "quickstarts.xai": ["system", "user"],
}
"""What the input of the first quick start of each client is made of."""


def is_divided(span: ReadableSpan) -> bool:
    """Whether the kinds of a call's input add up to it."""
    attributes = span.attributes or {}
    counted = attributes.get("gen_ai.usage.input_tokens") or 0
    kinds = [value for name, value in attributes.items() if name.startswith("tokentrace.input.")]
    # An agent that is no part of this process asks with prompts of its own.
    is_own = attributes["tokentrace.usage.scope"] == "call" and attributes["gen_ai.operation.name"] != "invoke_agent"
    return not is_own or sum(count for count in kinds if isinstance(count, int)) == counted


def composition(span: ReadableSpan) -> list[str]:
    """The kinds of a call's input, in prompt order."""
    return [segment.partition(":")[0] for segment in (span.attributes or {}).get("tokentrace.input.segments", ())]


@pytest.fixture
def toured(metering, passages):
    """Everything was called that there is to copy, by the tests before or here."""
    tours = {name: partial(take, quickstart) for name, quickstart in QUICKSTARTS.items()}
    tours |= {f"{shape[0].name} {shape[1].name} {shape[2]}": partial(take_shape, *shape) for shape in SHAPES}
    with metering(), warnings.catch_warnings(action="ignore"):
        for name in sorted(tours.keys() - passages.taken):
            tours[name]()
    passages.taken.update(tours)
    return passages


def test_every_seam_is_called(toured):
    assert seams() - toured.seams - UNCALLED.keys() == set()


@pytest.mark.parametrize("integration", NEWEST, ids=lambda integration: integration.library)
def test_every_endpoint_is_asked_for(toured, integration):
    assert toured.unasked(integration) == UNASKED.get(integration.library, set())


def test_a_client_and_its_quickstarts_are_told_once():
    libraries = [client.library for client in clients()]
    assert len(libraries) == len(set(libraries))
    for client in clients():
        names = [quickstart.name for quickstart in client.quickstarts]
        assert len(names) == len(set(names)), client.library
