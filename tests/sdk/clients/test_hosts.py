"""Who answers is told by the host, whatever client speaks to it."""

import importlib
import importlib.util

import pytest
from shapes import anthropic_messages, openai_chat
from shapes.provider import Provider, http_of, reply

PROVIDERS = {
    "https://api.openai.com/v1": "openai",
    "https://eu.api.openai.com/v1": "openai",
    "https://example.openai.azure.com/openai/v1": "azure.ai.openai",
    "https://example.services.ai.azure.com/openai/v1": "azure.ai.inference",
    "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1": "aws.bedrock",
    "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com/openai/v1": "aws.bedrock",
    "https://bedrock-mantle.us-east-1.api.aws/v1": "aws.bedrock",
    "https://generativelanguage.googleapis.com/v1beta/openai": "gcp.gemini",
    "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi": "gcp.vertex_ai",
    "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi": "gcp.vertex_ai",
    "https://api.anthropic.com/v1": "anthropic",
    "https://openrouter.ai/api/v1": "openrouter",
    "https://api.deepseek.com": "deepseek",
    "https://api.x.ai/v1": "x_ai",
    "https://api.perplexity.ai": "perplexity",
    "https://api.mistral.ai/v1": "mistral_ai",
    "https://api.groq.com/openai/v1": "groq",
    "https://api.cerebras.ai/v1": "cerebras",
    "https://api.fireworks.ai/inference/v1": "fireworks",
    "https://api.together.xyz/v1": "together",
    "https://api.cohere.ai/compatibility/v1": "cohere",
    "https://router.huggingface.co/v1": "huggingface",
    "https://ai-gateway.vercel.sh/v1": "vercel",
    "https://models.github.ai/inference": "github_models",
    "https://api.githubcopilot.com": "github_copilot",
    "https://api.business.githubcopilot.com": "github_copilot",
    "https://account.snowflakecomputing.com/api/v2/cortex/v1": "snowflake",
    "https://dbc-1.cloud.databricks.com/serving-endpoints": "databricks",
    "https://api.cloudflare.com/client/v4/accounts/a/ai/v1": "cloudflare",
    "https://us-south.ml.cloud.ibm.com/ml/gateway/v1": "ibm.watsonx.ai",
    "https://integrate.api.nvidia.com/v1": "nvidia",
    "https://api.writer.com/v1": "writer",
    "https://api.ai21.com/studio/v1": "ai21",
    "https://dashscope-intl.aliyuncs.com/compatible-mode/v1": "alibaba",
    "https://api.moonshot.ai/v1": "moonshot_ai",
    "https://api.z.ai/api/paas/v4": "zai",
    "https://api.minimax.io/v1": "minimax",
    "https://api.deepinfra.com/v1/openai": "deepinfra",
    "https://api.venice.ai/api/v1": "venice",
    "https://ollama.com/v1": "ollama",
}
LOCAL = {"vllm": "10.0.0.7:8000", "sglang": "10.0.0.7:30000", "llama.cpp": "gpu.internal"}
"""Servers of one's own: nothing but configuration can tell them apart."""

AWS = {"aws_access_key": "-", "aws_secret_key": "-", "aws_region": "us-east-1"}
PLATFORMS = {
    "Anthropic": ({"api_key": "-"}, "anthropic"),
    "AnthropicBedrock": (AWS, "aws.bedrock"),
    "AnthropicBedrockMantle": ({"api_key": "-", "aws_region": "us-east-1"}, "aws.bedrock"),
    "AnthropicVertex": ({"project_id": "p", "region": "us-east5", "access_token": "-"}, "gcp.vertex_ai"),
    "AnthropicFoundry": ({"api_key": "-", "resource": "example"}, "azure.ai.inference"),
    "AnthropicAWS": ({"api_key": "-", "workspace_id": "w", "aws_region": "us-east-1"}, "anthropic"),
    "AnthropicGoogleCloud": ({"token_provider": lambda: "-", "workspace_id": "w", "project": "p"}, "anthropic"),
}
NEEDS = {"AnthropicBedrock": "boto3", "AnthropicVertex": "google"}


def http(package: str, body: object):
    """An HTTP client of the make that the package speaks through, and the provider at the other end."""
    library = http_of(f"{package}._base_client")
    return library.Client(transport=Provider((reply(body),)).transport(library))


def chat(url: str) -> None:
    from openai import OpenAI

    client = OpenAI(api_key="-", base_url=url, http_client=http("openai", openai_chat.API.whole))
    client.chat.completions.create(**openai_chat.API.ask)


def named(span) -> str:
    return span.attributes["gen_ai.provider.name"]


@pytest.mark.parametrize("url", PROVIDERS)
def test_a_provider_is_known_by_its_host(metering, url):
    with metering() as began:
        chat(url)
        assert [named(span) for span in began.ours()] == [PROVIDERS[url]]


def test_a_client_that_is_pointed_elsewhere_is_answered_there(metering):
    from openai import OpenAI

    with metering() as began:
        client = OpenAI(api_key="-", http_client=http("openai", openai_chat.API.whole))
        for url in ("https://api.openai.com/v1", "https://api.groq.com/openai/v1", "https://api.openai.com/v1"):
            client.base_url = url
            client.chat.completions.create(**openai_chat.API.ask)
        assert [named(span) for span in began.ours()] == ["openai", "groq", "openai"]


def test_each_of_many_clients_is_answered_by_its_own_host(metering):
    from openai import OpenAI

    to = http("openai", openai_chat.API.whole)
    hosts = [f"gateway-{number}.example.com" for number in range(100)]
    with metering() as began:
        clients = [OpenAI(api_key="-", base_url=f"https://{host}/v1", http_client=to) for host in hosts]
        for client in clients * 2:
            client.chat.completions.create(**openai_chat.API.ask)
        assert [span.attributes["server.address"] for span in began.ours()] == hosts * 2


@pytest.mark.parametrize("url", ["https://api.example.com/v1", "https://lb-1.us-east-1.elb.amazonaws.com/v1"])
def test_an_unknown_host_is_of_the_provider_of_its_client(metering, url):
    with metering() as began:
        chat(url)
        assert [named(span) for span in began.ours()] == ["openai"]


@pytest.mark.parametrize("server", LOCAL)
def test_a_server_of_ones_own_is_told_by_configuration(metering, server):
    with metering(hosts={LOCAL[server]: server}) as began:
        chat(f"http://{LOCAL[server]}/v1")
        assert [named(span) for span in began.ours()] == [server]


@pytest.mark.parametrize("kind", PLATFORMS)
def test_claude_is_billed_by_the_platform_that_answers(metering, kind):
    client = getattr(importlib.import_module("anthropic"), kind, None)
    if client is None or importlib.util.find_spec(NEEDS.get(kind, "anthropic")) is None:
        pytest.skip("This release of anthropic has no such client.")
    options, provider = PLATFORMS[kind]
    with metering() as began:
        asked = client(**options, http_client=http("anthropic", anthropic_messages.body()))
        asked.messages.create(**anthropic_messages.ASK)
        assert [named(span) for span in began.ours()] == [provider]
