"""Frames of AWS are read however they are cut, and what is no frame is left alone."""

import pytest
from quickstarts import frames
from shapes import anthropic_messages
from shapes.eventstream import frame

from tokentrace.streams.body import read_whole
from tokentrace.streams.frames import Frames
from tokentrace.usage.reading import Reading
from tokentrace.wire import converse, messages

CHUNKS = b"".join(frames.chunk(event) for event in anthropic_messages.told())
USAGE = anthropic_messages.SEEN | anthropic_messages.WRITTEN


@pytest.mark.parametrize("size", [1, 7, 100, 4096])
def test_frames_may_be_cut_anywhere(size):
    seen = Reading()
    reader = Frames(messages.FORMAT, seen)
    for start in range(0, len(CHUNKS), size):
        reader.feed(CHUNKS[start : start + size])
    reader.end()
    assert (seen.usage, seen.complete) == (USAGE, True)


def test_a_whole_body_of_frames_is_read():
    seen = Reading()
    read_whole(CHUNKS, messages.FORMAT, seen)
    assert seen.usage == USAGE


def test_the_events_of_converse_stand_in_their_frames_unwrapped():
    usage = {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}
    seen = Reading()
    Frames(converse.FORMAT, seen).feed(frame("metadata", {"usage": usage}))
    assert seen.usage == usage


def test_an_error_between_frames_is_named():
    seen = Reading()
    Frames(messages.FORMAT, seen).feed(frames.fault("modelStreamErrorException"))
    assert seen.error == "modelStreamErrorException"


def test_a_frame_without_its_end_says_nothing():
    seen = Reading()
    reader = Frames(messages.FORMAT, seen)
    reader.feed(CHUNKS[:200])
    reader.end()
    assert seen == Reading()


@pytest.mark.parametrize("sound", [b"\x00" * 64, b"\x00\x00\x00\x20ftypM4A " * 9], ids=["silence", "mp4"])
def test_sound_that_begins_like_a_frame_is_left_alone(sound):
    seen = Reading()
    read_whole(sound, messages.FORMAT, seen)
    assert seen == Reading()
