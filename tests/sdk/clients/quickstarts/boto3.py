"""The quick starts of `boto3` for Amazon Bedrock."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from shapes.api import LEFT, call, failed
from shapes.eventstream import frame, frames
from shapes.provider import Answer, refused, reply

from quickstarts.bedrock_managed import OPERATIONS, Operation
from quickstarts.quickstart import Client, Quickstart

MESSAGE = "Describe the purpose of a 'hello world' program in one line."
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
LLAMA = "meta.llama3-70b-instruct-v1:0"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"

USAGE = {
    "inputTokens": 20,
    "outputTokens": 35,
    "totalTokens": 1155,
    "cacheReadInputTokens": 1000,
    "cacheReadInputTokenCount": 1000,
    "cacheWriteInputTokens": 100,
    "cacheWriteInputTokenCount": 100,
    "serverToolUsage": {},
}
TOKENS = {"input_text": 20, "cache_read": 1000, "cache_write_5m": 100, "output_text": 35}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "It shows that things work."}]}},
    "stopReason": "end_turn",
    "usage": USAGE,
    "metrics": {"latencyMs": 551},
}
# The first releases with Converse do not know of its cache: in a stream they pass on what is left.
STREAMED = {"inputTokens": 20, "outputTokens": 35, "totalTokens": 55}
EVENTS = (
    frame("messageStart", {"role": "assistant"}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "It shows that "}}),
    frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "things work."}}),
    frame("contentBlockStop", {"contentBlockIndex": 0}),
    frame("messageStop", {"stopReason": "end_turn"}),
    frame("metadata", {"usage": STREAMED, "metrics": {"latencyMs": 551}}),
)
BROKEN = (*EVENTS[:2], frame("modelStreamErrorException", {"message": "It broke."}, "exception"))
PLAIN = {"input_text": 20, "output_text": 35}

CLAUDE_USAGE = {
    "input_tokens": 18,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 400,
    "output_tokens": 31,
}
CLAUDE_BODY = {
    "id": "msg_bdrk_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-3-haiku-20240307",
    "content": [{"type": "text", "text": "It shows that things work."}],
    "stop_reason": "end_turn",
    "usage": CLAUDE_USAGE,
}
CLAUDE_TOKENS = {"input_text": 18, "cache_read": 400, "output_text": 31}
CLAUDE_HEADERS = {
    "X_Amzn_Bedrock_Input_Token_Count": "18",
    "X_Amzn_Bedrock_Output_Token_Count": "31",
    "X_Amzn_Bedrock_Cache_Read_Input_Token_Count": "400",
}
LLAMA_BODY = {
    "generation": "It shows that things work.",
    "prompt_token_count": 27,
    "generation_token_count": 9,
    "stop_reason": "stop",
}
MISTRAL_BODY = {"outputs": [{"text": "It shows that things work.", "stop_reason": "stop"}]}
COUNTED = {"X_Amzn_Bedrock_Input_Token_Count": "22", "X_Amzn_Bedrock_Output_Token_Count": "8"}


def chunk(event: dict[str, Any]) -> bytes:
    """An event of a vendor, in the envelope of Bedrock."""
    return frame("chunk", {"bytes": base64.b64encode(json.dumps(event).encode()).decode()})


def metrics(asked: int, answered: int) -> dict[str, Any]:
    """What Bedrock adds to the last event of a stream."""
    told = {"inputTokenCount": asked, "outputTokenCount": answered, "invocationLatency": 900, "firstByteLatency": 300}
    return {"amazon-bedrock-invocationMetrics": told}


CLAUDE_EVENTS = (
    chunk({"type": "message_start", "message": CLAUDE_BODY | {"content": [], "stop_reason": None}}),
    chunk({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "It shows."}}),
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 31}}),
    chunk({"type": "message_stop"} | metrics(18, 31)),
)
LLAMA_EVENTS = (
    chunk({"generation": "It", "prompt_token_count": 27, "generation_token_count": 1, "stop_reason": None}),
    chunk({"generation": " works", "prompt_token_count": None, "generation_token_count": 8, "stop_reason": None}),
    chunk(
        {"generation": ".", "prompt_token_count": None, "generation_token_count": 9, "stop_reason": "stop"}
        | metrics(27, 9)
    ),
)
MISTRAL_EVENTS = (
    chunk({"outputs": [{"text": "It works.", "stop_reason": None}]}),
    chunk({"outputs": [{"text": "", "stop_reason": "stop"}]} | metrics(22, 8)),
)

GUARDED = {
    "usage": {
        "topicPolicyUnits": 1,
        "contentPolicyUnits": 1,
        "wordPolicyUnits": 1,
        "sensitiveInformationPolicyUnits": 1,
        "sensitiveInformationPolicyFreeUnits": 1,
        "contextualGroundingPolicyUnits": 0,
    },
    "action": "NONE",
    "outputs": [],
    "assessments": [],
}


def client(url: str, service: str = "bedrock-runtime", tries: int = 1) -> Any:
    """A client of AWS that asks on loopback."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="-",
        aws_secret_access_key="-",
        config=Config(retries={"mode": "standard", "total_max_attempts": tries}),
    )


def ask() -> dict[str, Any]:
    """The arguments of Converse."""
    return {
        "modelId": CLAUDE,
        "messages": [{"role": "user", "content": [{"text": MESSAGE}]}],
        "inferenceConfig": {"maxTokens": 512, "temperature": 0.5, "topP": 0.9},
    }


def _first(stream: Any) -> Any:
    seen = []
    for event in stream:
        seen.append(event)
        break
    return seen


def converse(url: str) -> Any:
    bedrock = client(url)
    response = bedrock.converse(**ask())
    return response["output"]["message"]["content"][0]["text"]


def converse_again(url: str) -> Any:
    bedrock = client(url, tries=3)
    response = bedrock.converse(**ask())
    return response["output"]["message"]["content"][0]["text"], response["ResponseMetadata"]["RetryAttempts"]


def converse_stream(url: str) -> Any:
    bedrock = client(url)
    streaming_response = bedrock.converse_stream(**ask())
    text = ""
    for event in streaming_response["stream"]:
        if "contentBlockDelta" in event:
            text += event["contentBlockDelta"]["delta"]["text"]
    return text


def converse_stream_left(url: str) -> Any:
    bedrock = client(url)
    return _first(bedrock.converse_stream(**ask())["stream"])


def converse_stream_closed(url: str) -> Any:
    bedrock = client(url)
    stream = bedrock.converse_stream(**ask())["stream"]
    event = next(iter(stream))
    stream.close()
    return event


def converse_stream_unread(url: str) -> Any:
    bedrock = client(url)
    return bedrock.converse_stream(**ask())["ResponseMetadata"]["HTTPStatusCode"]


def _invoke(url: str, model: str, native_request: dict[str, Any]) -> Any:
    return client(url).invoke_model(modelId=model, body=json.dumps(native_request))


def _claude(url: str) -> Any:
    native_request = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 512,
        "temperature": 0.5,
        "messages": [{"role": "user", "content": [{"type": "text", "text": MESSAGE}]}],
    }
    return _invoke(url, CLAUDE, native_request)


def invoke_claude(url: str) -> Any:
    model_response = json.loads(_claude(url)["body"].read())
    return model_response["content"][0]["text"]


def invoke_claude_loaded(url: str) -> Any:
    return json.load(_claude(url)["body"])


def invoke_claude_in_pieces(url: str) -> Any:
    body = _claude(url)["body"]
    pieces = []
    while piece := body.read(10):
        pieces.append(piece)
    return pieces


def invoke_claude_by_chunks(url: str) -> Any:
    return list(_claude(url)["body"].iter_chunks(16))


def invoke_claude_by_lines(url: str) -> Any:
    return list(_claude(url)["body"].iter_lines())


def invoke_claude_with(url: str) -> Any:
    with _claude(url)["body"] as body:
        return body.read()


def invoke_claude_readlines(url: str) -> Any:
    return _claude(url)["body"].readlines()


def invoke_claude_raw(url: str) -> Any:
    with _claude(url)["body"] as body:
        return list(body.stream(16))


def invoke_claude_into_a_buffer(url: str) -> Any:
    pieces, buffer = [], bytearray(64)
    with _claude(url)["body"] as body:
        while size := body.readinto(buffer):
            pieces.append(bytes(buffer[:size]))
    return pieces


def invoke_left(url: str) -> Any:
    body = _claude(url)["body"]
    begun = body.read(10)
    body.close()
    return begun


def invoke_unread(url: str) -> Any:
    return _claude(url)["contentType"]


def invoke_closed(url: str) -> Any:
    body = _claude(url)["body"]
    body.close()
    return "closed"


def invoke_llama(url: str) -> Any:
    response = _invoke(url, LLAMA, {"prompt": MESSAGE, "max_gen_len": 512, "temperature": 0.5})
    return json.loads(response["body"].read())["generation"]


def invoke_mistral(url: str) -> Any:
    response = _invoke(url, MISTRAL, {"prompt": MESSAGE, "max_tokens": 512})
    return json.loads(response["body"].read())["outputs"][0]["text"]


def invoke_titan_embeddings(url: str) -> Any:
    response = _invoke(url, "amazon.titan-embed-text-v2:0", {"inputText": "Please recommend books."})
    model_response = json.loads(response["body"].read())
    return model_response["embedding"], model_response["inputTextTokenCount"]


def _streamed(model: str, native_request: dict[str, Any]) -> Any:
    def run(url: str) -> Any:
        bedrock = client(url)
        streaming_response = bedrock.invoke_model_with_response_stream(modelId=model, body=json.dumps(native_request))
        return [json.loads(event["chunk"]["bytes"]) for event in streaming_response["body"]]

    return run


def invoke_llama_stream_left(url: str) -> Any:
    bedrock = client(url)
    response = bedrock.invoke_model_with_response_stream(modelId=LLAMA, body=json.dumps({"prompt": "-"}))
    return _first(response["body"])


def apply_guardrail(url: str) -> Any:
    response = client(url).apply_guardrail(
        guardrailIdentifier="abcdefgh",
        guardrailVersion="DRAFT",
        source="INPUT",
        content=[{"text": {"text": "How should I invest for my retirement?"}}],
    )
    return response["action"]


def managed(operation: Operation) -> Callable[[str], Any]:
    """Code that lets Bedrock do something with models by itself."""

    def run(url: str) -> Any:
        from botocore import xform_name

        bedrock = client(url, operation.service)
        response = getattr(bedrock, xform_name(operation.api))(**operation.asked)
        return [list(event) for event in response[operation.stream]] if operation.stream else response.keys()

    return run


def list_buckets(url: str) -> Any:
    return client(url).meta.region_name, client(url, "s3").list_buckets().get("Buckets")


BUCKETS = b'<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Buckets/></ListAllMyBucketsResult>'

THROTTLED = refused(429, x_amzn_errortype="ThrottlingException")
RETRIED = (THROTTLED, refused(503), reply(CONVERSED))
COMPLETE = call(CLAUDE_TOKENS, end="complete")
ANSWERED = reply(CLAUDE_BODY, **CLAUDE_HEADERS)
HEARD = (
    invoke_claude,
    invoke_claude_loaded,
    invoke_claude_in_pieces,
    invoke_claude_by_chunks,
    invoke_claude_by_lines,
    invoke_claude_with,
    invoke_claude_readlines,
    invoke_claude_raw,
    invoke_claude_into_a_buffer,
)
"""Every way to read a body."""

CLIENT = Client(
    library="boto3",
    module="boto3",
    quickstarts=(
        Quickstart("converse", converse, (reply(CONVERSED),), (call(TOKENS),)),
        Quickstart(
            "converse retried",
            converse_again,
            RETRIED,
            (call(TOKENS, [429, 503, 200]),),
        ),
        Quickstart("converse refused", converse, (THROTTLED,), (failed([429], "ThrottlingException"),)),
        Quickstart("converse streamed", converse_stream, (frames(EVENTS),), (call(PLAIN, end="complete"),)),
        Quickstart(
            "converse stream left",
            converse_stream_left,
            (frames(EVENTS),),
            (call({}, source="missing", end=LEFT),),
        ),
        Quickstart(
            "converse stream closed",
            converse_stream_closed,
            (frames(EVENTS),),
            (call({}, source="missing", end="closed"),),
        ),
        Quickstart(
            "converse stream unread",
            converse_stream_unread,
            (frames(EVENTS),),
            (call({}, source="missing", end="unread"),),
        ),
        Quickstart(
            "converse stream broken",
            converse_stream,
            (frames(BROKEN),),
            (call({}, [200], source="missing", end="failed", error="EventStreamError"),),
        ),
        *(Quickstart(run.__name__.replace("_", " "), run, (ANSWERED,), (COMPLETE,)) for run in HEARD),
        Quickstart("invoke unread", invoke_unread, (ANSWERED,), (call(CLAUDE_TOKENS, end="unread"),)),
        Quickstart("invoke left", invoke_left, (ANSWERED,), (call(CLAUDE_TOKENS, end="closed"),)),
        Quickstart("invoke closed", invoke_closed, (ANSWERED,), (call(CLAUDE_TOKENS, end="unread"),)),
        Quickstart(
            "invoke llama",
            invoke_llama,
            (reply(LLAMA_BODY),),
            (call({"input_text": 27, "output_text": 9}, end="complete"),),
        ),
        Quickstart(
            "invoke mistral",
            invoke_mistral,
            (reply(MISTRAL_BODY, **COUNTED),),
            (call({"input_text": 22, "output_text": 8}, end="complete"),),
        ),
        Quickstart(
            "invoke embeddings",
            invoke_titan_embeddings,
            (reply({"embedding": [0.5, 0.25], "inputTextTokenCount": 6}),),
            (call({"input_text": 6}, end="complete"),),
        ),
        Quickstart(
            "invoke claude streamed",
            _streamed(CLAUDE, {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 512, "messages": []}),
            (frames(CLAUDE_EVENTS),),
            (COMPLETE,),
        ),
        Quickstart(
            "invoke llama streamed",
            _streamed(LLAMA, {"prompt": MESSAGE}),
            (frames(LLAMA_EVENTS),),
            (call({"input_text": 27, "output_text": 9}, end="complete"),),
        ),
        Quickstart(
            "invoke llama stream left",
            invoke_llama_stream_left,
            (frames(LLAMA_EVENTS),),
            (call({"input_text": 27, "output_text": 1}, source="partial_stream", end=LEFT),),
        ),
        Quickstart(
            "invoke mistral streamed",
            _streamed(MISTRAL, {"prompt": MESSAGE}),
            (frames(MISTRAL_EVENTS),),
            (call({"input_text": 22, "output_text": 8}, end="complete"),),
        ),
        Quickstart("guardrail", apply_guardrail, (reply(GUARDED),), (call({}, meters={"guardrail_units": 3}),)),
        *(
            Quickstart(each.name, managed(each), (each.answer,), (each.said,), needs=each.is_known)
            for each in OPERATIONS
        ),
        Quickstart("other services", list_buckets, (Answer(200, {"content-type": "application/xml"}, (BUCKETS,)),), ()),
    ),
    reported="all, streamed too; cache reads and writes; units of guardrails; agents that are traced",
    missing="streams that are left early; knowledge bases, flows, and agents without a trace",
)
