"""What an application gets of a stream whose usage was asked for behind its back."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from tokentrace.streams.sieve import Sieve

HEAD = {"id": "c", "object": "chat.completion.chunk", "model": "gpt-4o"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
WORDS = ('a "quoted" word', "ends with a comma,", ',"usage":null', "\\", "é\n\n")


def event(part, end="\n\n"):
    return f"data: {json.dumps(part, separators=(',', ':'))}{end}".encode()


def bare(end="\n\n"):
    """A stream as it is without the option."""
    filters = event(HEAD | {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, end)
    texts = [event(HEAD | {"choices": [{"index": 0, "delta": {"content": word}}]}, end) for word in WORDS]
    return [filters, *texts, f"data: [DONE]{end}".encode()]


def asked(end="\n\n"):
    """The same with it: each event mentions the usage, and the last but one brings it."""
    filters, *texts = (json.loads(each[5:]) for each in bare(end)[:-1])
    told = [event(part | {"usage": None}, end) for part in (filters, *texts)]
    return [*told, event(HEAD | {"choices": [], "usage": USAGE}, end), f"data: [DONE]{end}".encode()]


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n"])
@given(st.lists(st.integers(0, 1200), max_size=8))
def test_however_it_is_cut_what_comes_out_is_what_would_have_come(end, cuts):
    whole, sieve = b"".join(asked(end)), Sieve()
    edges = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})

    pieces = [sieve.feed(whole[start:stop]) for start, stop in pairwise(edges)]

    assert b"".join([*pieces, sieve.end()]) == b"".join(bare(end))


def test_a_stream_that_breaks_off_gives_what_it_had():
    sieve = Sieve()
    whole = b"".join(bare())
    assert sieve.feed(whole[:-10]) + sieve.end() == whole[:-10]


def test_counts_beside_an_answer_are_the_applications():
    told = event(HEAD | {"choices": [{"index": 0, "delta": {"content": "4"}}], "usage": USAGE})
    assert Sieve().feed(told) == told
