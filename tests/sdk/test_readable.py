"""Bodies that are read like a file."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tokentrace.streams import readable
from tokentrace.streams.readable import Gathered, ReadTap

BODY = b"one\ntwo\n"


class Heard:
    """A listener who writes down what it hears."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.ends: list[str | None] = []

    def enter(self) -> None: ...

    def leave(self) -> None: ...

    def part(self, part: Any, /) -> None:
        if part:
            self.parts.append(part)

    def end(self, how: str | None, error: BaseException | None = None) -> None:
        self.ends.append(how)


@pytest.fixture
def heard() -> Heard:
    """What the listener hears."""
    return Heard()


@pytest.mark.parametrize(
    "read",
    [
        lambda body: body.read(),
        lambda body: body.read(-1),
        lambda body: body.read(None),
        lambda body: [body.read(0), body.read(3), body.read(99), body.read(1)],
        lambda body: list(iter(lambda: body.read1(2), b"")),
        lambda body: list(iter(body.readline, b"")),
        lambda body: body.readlines(),
        lambda body: [body.readinto(bytearray(5)), body.readinto(bytearray(5)), body.readinto(bytearray(5))],
        list,
    ],
    ids=["whole", "unlimited", "none", "pieces", "read1", "lines", "all lines", "buffers", "iterated"],
)
def test_a_body_is_heard_whole_and_once_however_it_is_read(heard, read):
    body = ReadTap(io.BytesIO(BODY), Gathered(heard))

    assert read(body) == read(io.BytesIO(BODY))
    assert (heard.parts, heard.ends) == ([BODY], ["complete"])


def test_a_body_that_is_dropped_was_read_as_far_as_it_was(heard):
    ReadTap(io.BytesIO(BODY), Gathered(heard)).read(4)

    assert (heard.parts, heard.ends) == ([b"one\n"], [None])


def test_a_body_that_breaks_fails(heard):
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        ReadTap(Broken(), Gathered(heard)).read()
    assert heard.ends[0] == "failed"


def test_a_body_without_end_is_not_kept(heard, monkeypatch):
    monkeypatch.setattr(readable, "LIMIT", 4)

    assert ReadTap(io.BytesIO(BODY), Gathered(heard)).read() == BODY
    assert (heard.parts, heard.ends[0]) == ([], "complete")
