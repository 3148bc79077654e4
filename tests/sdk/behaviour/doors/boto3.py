"""`boto3`: Converse of Amazon Bedrock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quickstarts import boto3 as told
from shapes.eventstream import frames
from shapes.provider import Answer
from shapes.shape import SYNC

from behaviour.door import Door, Settings


def client(settings: Settings) -> Any:
    """A client that asks on loopback."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=settings.url,
        aws_access_key_id="-",
        aws_secret_access_key="-",
        config=Config(
            retries={"mode": "standard", "total_max_attempts": settings.retries + 1}, read_timeout=settings.timeout
        ),
    )


def _flow(events: Sequence[bytes], *, lost: str | None = None, hangs: bool = False) -> Answer:
    return Answer(200, frames(()).headers, tuple(events), lost, hangs)


CONVERSE = Door(
    name="boto3",
    module="boto3",
    client=client,
    ask=lambda client: client.converse(**told.ask()),
    open=lambda client: client.converse_stream(**told.ask())["stream"],
    whole=told.CONVERSED,
    events=told.EVENTS,
    tokens=told.TOKENS,
    streamed=_flow,
    modes=(SYNC,),
    facts={"streamed tokens": told.PLAIN, "error event": told.BROKEN[-1], "error": "EventStreamError"},
)
