"""The quick starts of `aiobotocore` for Amazon Bedrock; what the provider answers is the same as to `boto3`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from shapes.api import LEFT, call
from shapes.eventstream import frames
from shapes.provider import reply

from quickstarts import boto3
from quickstarts.bedrock_managed import OPERATIONS, Operation
from quickstarts.quickstart import Client, Quickstart


def _client(url: str, service: str = "bedrock-runtime", tries: int = 1) -> Any:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    session = get_session()
    return session.create_client(
        service,
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="-",
        aws_secret_access_key="-",
        config=AioConfig(retries={"mode": "standard", "total_max_attempts": tries}),
    )


async def converse(url: str) -> Any:
    async with _client(url) as client:
        response = await client.converse(**boto3.ask())
        return response["output"]["message"]["content"][0]["text"]


async def converse_again(url: str) -> Any:
    async with _client(url, tries=3) as client:
        return (await client.converse(**boto3.ask()))["ResponseMetadata"]["RetryAttempts"]


async def converse_stream(url: str) -> Any:
    async with _client(url) as client:
        response = await client.converse_stream(**boto3.ask())
        return [event async for event in response["stream"]]


async def converse_stream_closed(url: str) -> Any:
    async with _client(url) as client:
        stream = (await client.converse_stream(**boto3.ask()))["stream"]
        seen = []
        async for event in stream:
            seen.append(event)
            break
        stream.close()
        return seen


async def converse_stream_left(url: str) -> Any:
    async with _client(url) as client:
        response = await client.converse_stream(**boto3.ask())
        seen = []
        async for event in response["stream"]:
            seen.append(event)
            break
        return seen


def _claude(client: Any) -> Any:
    return client.invoke_model(modelId=boto3.CLAUDE, body=json.dumps({"max_tokens": 512, "messages": []}))


async def invoke(url: str) -> Any:
    async with _client(url) as client:
        response = await _claude(client)
        return json.loads(await response["body"].read())


async def invoke_with(url: str) -> Any:
    async with _client(url) as client, (await _claude(client))["body"] as stream:
        return await stream.read()


async def invoke_in_pieces(url: str) -> Any:
    async with _client(url) as client:
        body = (await _claude(client))["body"]
        return [chunk async for chunk in body.iter_chunks(10)]


async def invoke_by_lines(url: str) -> Any:
    async with _client(url) as client:
        body = (await _claude(client))["body"]
        return [line async for line in body.iter_lines()]


async def invoke_unread(url: str) -> Any:
    async with _client(url) as client:
        return (await _claude(client))["contentType"]


async def invoke_stream(url: str) -> Any:
    async with _client(url) as client:
        response = await client.invoke_model_with_response_stream(modelId=boto3.LLAMA, body=json.dumps({"prompt": "-"}))
        return [json.loads(event["chunk"]["bytes"]) async for event in response["body"]]


def managed(operation: Operation) -> Callable[[str], Any]:
    """Code that lets Bedrock do something with models by itself."""

    async def run(url: str) -> Any:
        from botocore import xform_name

        async with _client(url, operation.service) as client:
            response = await getattr(client, xform_name(operation.api))(**operation.asked)
            if operation.stream:
                return [list(event) async for event in response[operation.stream]]
            return response.keys()

    return run


CLIENT = Client(
    library="aiobotocore",
    module="aiobotocore",
    quickstarts=(
        Quickstart("converse", converse, (reply(boto3.CONVERSED),), (call(boto3.TOKENS),)),
        Quickstart(
            "converse retried",
            converse_again,
            boto3.RETRIED,
            (call(boto3.TOKENS, [429, 503, 200]),),
        ),
        Quickstart("converse streamed", converse_stream, (frames(boto3.EVENTS),), (call(boto3.PLAIN, end="complete"),)),
        Quickstart(
            "converse stream closed",
            converse_stream_closed,
            (frames(boto3.EVENTS),),
            (call({}, source="missing", end="closed"),),
        ),
        Quickstart(
            "converse stream left",
            converse_stream_left,
            (frames(boto3.EVENTS),),
            (call({}, source="missing", end=LEFT),),
        ),
        Quickstart("invoke", invoke, (boto3.ANSWERED,), (boto3.COMPLETE,)),
        Quickstart("invoke with", invoke_with, (boto3.ANSWERED,), (boto3.COMPLETE,)),
        Quickstart("invoke in pieces", invoke_in_pieces, (boto3.ANSWERED,), (boto3.COMPLETE,)),
        Quickstart("invoke by lines", invoke_by_lines, (boto3.ANSWERED,), (boto3.COMPLETE,)),
        Quickstart("invoke unread", invoke_unread, (boto3.ANSWERED,), (call(boto3.CLAUDE_TOKENS, end="unread"),)),
        Quickstart(
            "invoke streamed",
            invoke_stream,
            (frames(boto3.LLAMA_EVENTS),),
            (call({"input_text": 27, "output_text": 9}, end="complete"),),
        ),
        *(
            Quickstart(each.name, managed(each), (each.answer,), (each.said,), needs=each.is_known)
            for each in OPERATIONS
        ),
    ),
    reported=boto3.CLIENT.reported,
    missing=boto3.CLIENT.missing,
)
