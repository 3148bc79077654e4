"""Read by the type checkers, never run: what the public names promise."""

from __future__ import annotations

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

with tokentrace.step("tool", kind="tool") as entered:
    assert_type(entered, tokentrace.step)
