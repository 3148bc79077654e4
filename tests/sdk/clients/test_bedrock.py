"""What a span of Bedrock says beside its tokens: model, place, tier, meters, and the models of an agent."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

pytest.importorskip("boto3")

from botocore.session import get_session
from quickstarts.bedrock_managed import AGENTIC, AGENTS, step, used
from quickstarts.boto3 import ANSWERED, CLAUDE, CONVERSED, GUARDED, ask, chunk, client, metrics
from quickstarts.loopback import http
from shapes.eventstream import frame, frames
from shapes.provider import Answer, Provider, lost, reply

PROFILE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.fixture
def told(metering):
    """What the span says that is made when a client of Bedrock asks and is answered so."""

    def tell(answer: Answer, api: str, service: str = "bedrock-runtime", **asked: Any) -> dict[str, Any]:
        with http(Provider((answer,))) as url, metering() as spans:
            result = getattr(client(url, service), api)(**asked)
            for stream in ("stream", "body", "completion"):
                list(result.get(stream, ()))
            del result
            gc.collect()
            return spans.only()

    return tell


def test_a_call_names_its_model_its_region_and_its_tier(told):
    answer = CONVERSED | {"serviceTier": {"type": "default"}, "performanceConfig": {"latency": "optimized"}}

    span = told(reply(answer), "converse", **ask())

    port = span.pop("server.port")
    assert isinstance(port, int)
    assert span == {
        "name": f"chat {CLAUDE}",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": CLAUDE,
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.cache_read.input_tokens": 1000,
        "gen_ai.usage.cache_write.input_tokens": 100,
        "gen_ai.usage.input_tokens": 1120,
        "gen_ai.usage.output_tokens": 35,
        "server.address": "127.0.0.1",
        "tokentrace.attempts": 1,
        "tokentrace.billing.region": "us-east-1",
        "tokentrace.billing.service_tier": "optimized",
        "tokentrace.input.segments": ("user:1120",),
        "tokentrace.input.user": 1120,
        "tokentrace.prefix.cacheable": 0,
        "tokentrace.prefix.repeated": 0,
        "tokentrace.usage.cache_read": 1000,
        "tokentrace.usage.cache_write_5m": 100,
        "tokentrace.usage.input_text": 20,
        "tokentrace.usage.output_text": 35,
        "tokentrace.usage.scope": "call",
        "tokentrace.usage.source": "reported",
    }


@pytest.mark.parametrize(
    ("named", "model"),
    [
        (PROFILE, PROFILE),
        (f"{ARN}:inference-profile/{PROFILE}", PROFILE),
        (f"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/{CLAUDE}", CLAUDE),
        (f"{ARN}:application-inference-profile/a1b2", f"{ARN}:application-inference-profile/a1b2"),
        (f"{ARN}:provisioned-model/a1b2", f"{ARN}:provisioned-model/a1b2"),
    ],
)
def test_a_model_has_one_name_however_it_is_asked_for(told, named, model):
    assert told(reply(CONVERSED), "converse", **ask() | {"modelId": named})["gen_ai.request.model"] == model


def test_a_prompt_router_says_which_model_answered(told):
    routed = {"trace": {"promptRouter": {"invokedModelId": f"{ARN}:inference-profile/{PROFILE}"}}}
    router = f"{ARN}:default-prompt-router/anthropic.claude:1"

    assert (
        told(reply(CONVERSED | routed), "converse", **ask() | {"modelId": router})["gen_ai.response.model"] == PROFILE
    )


def test_the_tier_of_an_invocation_is_in_its_headers(told):
    answer = Answer(200, ANSWERED.headers | {"X-Amzn-Bedrock-Service-Tier": "flex"}, ANSWERED.parts)

    assert told(answer, "invoke_model", modelId=CLAUDE, body="{}")["tokentrace.billing.service_tier"] == "flex"


def test_the_tier_of_a_streamed_invocation_is_in_its_headers(told):
    events = (chunk({"outputs": [{"text": "-", "stop_reason": "stop"}]} | metrics(22, 8)),)
    answer = frames(events, X_Amzn_Bedrock_Service_Tier="priority")

    span = told(answer, "invoke_model_with_response_stream", modelId="mistral.mistral-7b-instruct-v0:2", body="{}")

    assert (span["tokentrace.billing.service_tier"], span["gen_ai.usage.output_tokens"]) == ("priority", 8)


@pytest.mark.parametrize(
    ("model", "operation"),
    [("amazon.titan-embed-text-v2:0", "embeddings"), ("cohere.rerank-v3-5:0", "rerank"), (CLAUDE, "chat")],
)
def test_an_invocation_does_what_its_model_is_for(told, model, operation):
    assert told(reply({}), "invoke_model", modelId=model, body="{}")["gen_ai.operation.name"] == operation


def test_images_are_metered(told):
    span = told(reply({"images": ["AA==", "AA=="]}), "invoke_model", modelId="amazon.nova-canvas-v1:0", body="{}")

    assert (span["tokentrace.meter.images"], span["tokentrace.usage.source"]) == (2, "reported")


def test_a_guardrail_is_metered_by_the_units_that_are_billed(told):
    asked = {
        "guardrailIdentifier": "a",
        "guardrailVersion": "1",
        "source": "INPUT",
        "content": [{"text": {"text": "-"}}],
    }

    span = told(reply(GUARDED), "apply_guardrail", **asked)

    # One unit each of topics, content and sensitive information; words and regular expressions are free.
    assert (span["tokentrace.meter.guardrail_units"], span["tokentrace.usage.source"]) == (3, "reported")


def test_a_guardrail_that_took_nothing_is_not_missing(told):
    asked = {
        "guardrailIdentifier": "a",
        "guardrailVersion": "1",
        "source": "INPUT",
        "content": [{"text": {"text": "-"}}],
    }

    span = told(reply(GUARDED | {"usage": dict.fromkeys(GUARDED["usage"], 0)}), "apply_guardrail", **asked)

    assert (span["tokentrace.usage.source"], "tokentrace.usage.billable" in span) == ("reported", False)


AGENT_SHAPES = get_session().get_service_model(AGENTS)
NAMES_MODELS = "foundationModel" in AGENT_SHAPES.shape_for("ModelInvocationInput").members


@pytest.mark.skipif(not NAMES_MODELS, reason="this release of botocore does not say which model a step asked")
def test_an_agent_is_billed_by_the_models_that_its_trace_tells_of(told):
    events = (
        step("modelInvocationInput", foundationModel=CLAUDE),
        step("modelInvocationOutput", **used(300, 40)),
        step("modelInvocationInput", trace="t2", foundationModel=PROFILE),
        step("modelInvocationOutput", trace="t2", **used(360, 25)),
        frame("chunk", {"bytes": "LQ=="}),
    )
    asked = {"agentId": "AGENT", "agentAliasId": "ALIAS", "sessionId": "session", "inputText": "-"}

    span = told(frames(events), "invoke_agent", "bedrock-agent-runtime", **asked)

    assert json.loads(span["tokentrace.usage.parts"]) == [
        {"kind": "model", "model": CLAUDE, "buckets": {"input_text": 300, "output_text": 40}},
        {"kind": "model", "model": PROFILE, "buckets": {"input_text": 360, "output_text": 25}},
    ]
    assert span["tokentrace.usage.flags"] == ("main_is_sum_of_parts",)


@pytest.mark.skipif("AgenticRetrieveStream" not in AGENT_SHAPES.operation_names, reason="nor has it such retrievals")
def test_an_agentic_retrieval_names_its_model(told):
    models = {"modelConfiguration": {"modelArn": f"{ARN}:inference-profile/{PROFILE}"}}
    chosen = {"type": "BEDROCK_FOUNDATION_MODEL", "bedrockFoundationModelConfiguration": models}
    asked = AGENTIC | {"agenticRetrieveConfiguration": {"foundationModelConfiguration": chosen}}

    span = told(frames((frame("result", {"results": []}),)), "agentic_retrieve_stream", AGENTS, **asked)

    assert span["gen_ai.request.model"] == PROFILE


def test_an_agent_without_a_trace_is_missing(told):
    asked = {"agentId": "AGENT", "agentAliasId": "ALIAS", "sessionId": "session", "inputText": "-"}

    span = told(frames((frame("chunk", {"bytes": "LQ=="}),)), "invoke_agent", "bedrock-agent-runtime", **asked)

    assert (span["tokentrace.usage.source"], span["tokentrace.stream.end"]) == ("missing", "complete")


def test_a_connection_that_never_was_is_not_billed(metering):
    with metering() as spans:
        with pytest.raises(Exception, match="Could not connect"):
            client("http://127.0.0.1:1").converse(**ask())
        span = spans.only()

    assert (span["error.type"], span["tokentrace.usage.billable"]) == ("EndpointConnectionError", "false")


def test_a_connection_that_broke_may_be_billed(metering):
    with http(Provider((lost("reset"),))) as url, metering() as spans:
        with pytest.raises(Exception, match="Connection was closed"):
            client(url).converse(**ask())
        span = spans.only()

    assert (span["error.type"], span["tokentrace.usage.billable"]) == ("ConnectionClosedError", "unknown")
