"""What Bedrock does with models by itself: the quick starts of `bedrock-agent-runtime`, and jobs and checks."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shapes.api import call
from shapes.eventstream import frame, frames
from shapes.provider import Answer, reply

AGENTS, MODELS = "bedrock-agent-runtime", "bedrock-runtime"
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
ARN = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"
BASE = {"knowledgeBaseId": "KNOWLEDGE1", "modelArn": ARN}


def step(kind: str, trace: str = "t1", **told: Any) -> bytes:
    """A step of an agent, in its trace."""
    steps = {"orchestrationTrace": {kind: {"traceId": trace} | told}}
    return frame("trace", {"agentId": "AGENT", "sessionId": "session", "trace": steps})


def used(asked: int, answered: int) -> dict[str, Any]:
    """What a model took for a step."""
    return {"metadata": {"usage": {"inputTokens": asked, "outputTokens": answered}}}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, the same for a client that awaits and one that does not."""

    name: str
    service: str
    api: str
    asked: dict[str, Any]
    answer: Answer
    said: dict[str, Any]
    stream: str | None = None
    """The member of the answer whose events are read to the end."""

    @property
    def is_known(self) -> Callable[[], bool]:
        """Whether this release of botocore has it."""

        def known() -> bool:
            from botocore.session import get_session

            try:
                model = get_session().get_service_model(self.service)
            except Exception:  # noqa: BLE001  (the oldest releases do not know the service)
                return False
            shape = model.operation_model(self.api).input_shape if self.api in model.operation_names else None
            return shape is not None and self.asked.keys() <= shape.members.keys()

        return known


UNTOLD = call({}, source="missing")
OVER = call({}, source="missing", end="complete")
QUESTION = {"text": "What is the weather?"}
FLOW = {
    "flowIdentifier": "FLOW",
    "flowAliasIdentifier": "ALIAS",
    "inputs": [{"nodeName": "FlowInput", "nodeOutputName": "document", "content": {"document": "-"}}],
}
RETRIEVER = {"configuration": {"knowledgeBase": {"knowledgeBaseId": "KNOWLEDGE1"}}}
RANKING = {
    "type": "BEDROCK_RERANKING_MODEL",
    "bedrockRerankingConfiguration": {"modelConfiguration": {"modelArn": ARN}},
}
TEXT = {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": "-"}}}
AGENTIC = {
    "messages": [{"role": "user", "content": QUESTION}],
    "agenticRetrieveConfiguration": {"foundationModelType": "MANAGED"},
    "retrievers": [RETRIEVER],
}
GENERATION = {
    "input": QUESTION,
    "retrieveAndGenerateConfiguration": {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": BASE},
}
TO_SQL = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": {"knowledgeBaseArn": ARN}}
AGENT_EVENTS = (
    step("modelInvocationInput", foundationModel=CLAUDE, text="-"),
    step("modelInvocationOutput", **used(300, 40)),
    step("modelInvocationInput", foundationModel=CLAUDE, text="-"),
    step("modelInvocationOutput", **used(360, 25)),
    frame("chunk", {"bytes": base64.b64encode(b"It rains.").decode()}),
)
AGENT_HEADERS = {"x_amzn_bedrock_agent_content_type": "application/json", "x_amz_bedrock_agent_session_id": "s"}
INVOKED = call({"input_text": 660, "output_text": 65}, end="complete")
CHECKED = {"contentFilter": {"textUnits": 2}, "promptAttack": {"textUnits": 1}}

OPERATIONS = (
    Operation(
        "agent",
        AGENTS,
        "InvokeAgent",
        {"agentId": "AGENT", "agentAliasId": "ALIAS", "sessionId": "session", "inputText": "-", "enableTrace": True},
        frames(AGENT_EVENTS, **AGENT_HEADERS),
        INVOKED,
        "completion",
    ),
    Operation(
        "inline agent",
        AGENTS,
        "InvokeInlineAgent",
        {
            "foundationModel": CLAUDE,
            "instruction": "You are a friendly assistant who helps to plan outings.",
            "sessionId": "session",
            "inputText": "-",
            "enableTrace": True,
        },
        frames(AGENT_EVENTS, **AGENT_HEADERS),
        INVOKED,
        "completion",
    ),
    Operation(
        "flow",
        AGENTS,
        "InvokeFlow",
        FLOW,
        frames((frame("flowCompletionEvent", {"completionReason": "SUCCESS"}),)),
        OVER,
        "responseStream",
    ),
    Operation("flow started", AGENTS, "StartFlowExecution", FLOW, reply({"executionArn": "arn"}), UNTOLD),
    Operation(
        "retrieve",
        AGENTS,
        "Retrieve",
        {"knowledgeBaseId": "KNOWLEDGE1", "retrievalQuery": QUESTION},
        reply({"retrievalResults": []}),
        UNTOLD,
    ),
    Operation(
        "agentic retrieve",
        AGENTS,
        "AgenticRetrieveStream",
        AGENTIC,
        frames((frame("result", {"results": []}),)),
        OVER,
        "stream",
    ),
    Operation(
        "retrieve and generate",
        AGENTS,
        "RetrieveAndGenerate",
        GENERATION,
        reply({"sessionId": "session", "output": {"text": "It rains."}}),
        UNTOLD,
    ),
    Operation(
        "retrieve and generate streamed",
        AGENTS,
        "RetrieveAndGenerateStream",
        GENERATION,
        frames((frame("output", {"text": "It rains."}),)),
        OVER,
        "stream",
    ),
    Operation(
        "rerank",
        AGENTS,
        "Rerank",
        {
            "queries": [{"type": "TEXT", "textQuery": {"text": "-"}}],
            "sources": [TEXT],
            "rerankingConfiguration": RANKING,
        },
        reply({"results": [{"index": 0, "relevanceScore": 0.5}]}),
        UNTOLD,
    ),
    Operation(
        "generate query",
        AGENTS,
        "GenerateQuery",
        {
            "queryGenerationInput": {"type": "TEXT", "text": "-"},
            "transformationConfiguration": {"mode": "TEXT_TO_SQL", "textToSqlConfiguration": TO_SQL},
        },
        reply({"queries": []}),
        UNTOLD,
    ),
    Operation(
        "optimize prompt",
        AGENTS,
        "OptimizePrompt",
        {"input": {"textPrompt": {"text": "-"}}, "targetModelId": CLAUDE},
        frames((frame("optimizedPromptEvent", {"optimizedPrompt": {"textPrompt": {"text": "-"}}}),)),
        OVER,
        "optimizedPrompt",
    ),
    Operation(
        "async invoke",
        MODELS,
        "StartAsyncInvoke",
        {
            "modelId": "amazon.nova-reel-v1:0",
            "modelInput": {"taskType": "TEXT_VIDEO"},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://bucket"}},
            "clientRequestToken": "-",
        },
        reply({"invocationArn": "arn"}),
        UNTOLD,
    ),
    Operation(
        "guardrail checks",
        MODELS,
        "InvokeGuardrailChecks",
        {
            "messages": [{"role": "user", "content": [{"text": "-"}]}],
            "checks": {"promptAttack": {"categories": [{"category": "JAILBREAK"}]}},
        },
        reply({"results": {}, "usage": CHECKED}),
        call({}, meters={"guardrail_units": 3}),
    ),
)
