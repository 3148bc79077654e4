"""Read by the type checkers, never run: what the public names promise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import assert_type

import tokentrace


@tokentrace.step("double", role="plan")
def double(x: int) -> int:
    return 2 * x


@tokentrace.tags(team="a", beta=True)
async def fetch(url: str) -> bytes:
    return url.encode()


assert_type(double(1), int)


async def fetched() -> None:
    """A decorated coroutine function still gives what it gave."""
    assert_type(await fetch("x"), bytes)


assert_type(tokentrace.flush(), bool)
assert_type(tokentrace.instrument(endpoint="http://127.0.0.1:4318"), None)
assert_type(tokentrace.uninstrument(), None)
assert_type(tokentrace.read_usage({}, provider="openai", api="chat"), tokentrace.Usage)
assert_type(tokentrace.Config.resolve(), tokentrace.Config)

with tokentrace.review(kind="approval", reviewer_role="editor") as work:
    assert_type(work, tokentrace.review)
    assert_type(work.active(1.5), None)
    work.decision = "approved"


@tokentrace.tool
def search(query: str) -> list[str]:
    return [query]


@tokentrace.agent()
def researched(query: str) -> Iterator[str]:
    yield from search(query)


@tokentrace.workflow(work_unit_id="order 7")
async def brief(query: str) -> AsyncIterator[bytes]:
    yield query.encode()


assert_type(search("x"), list[str])
assert_type(researched("x"), Iterator[str])
assert_type(brief("x"), AsyncIterator[bytes])

with tokentrace.tool("search", call_id="call_1") as entered:
    assert_type(tokentrace.trace_id(), str | None)

assert_type(tokentrace.outcome("success", value=Decimal("1.5"), currency="EUR", units=2), None)
assert_type(tokentrace.reject("schema", whole_section=True), None)
assert_type(tokentrace.accept_partial(response_id="resp_1"), None)
assert_type(tokentrace.record_review(trace_id={"0" * 31 + "1": 3}, active_time=90.0, decision="edited"), None)

assert_type(tokentrace.carry(double)(1), int)
assert_type(tokentrace.outgoing({"accept": "*/*"}, tags=True), dict[str, str])
with tokentrace.incoming({"traceparent": ""}) as received:
    assert_type(received, tokentrace.incoming)
