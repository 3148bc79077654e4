"""Bodies full of pixels or vectors: what is told of their usage, and nothing else, is parsed."""

import json

import pytest

from tokentrace.streams.body import BULKY, Events, read_whole
from tokentrace.usage.reading import Reading
from tokentrace.wire import images

PIXELS = "A" * (2 * BULKY)
USAGE = {"input_tokens": 14, "output_tokens": 272, "total_tokens": 286}
SVG = {"model": "gpt-5", "input_tokens": 40, "output_tokens": 90, "total_tokens": 130}


@pytest.fixture
def parsed(monkeypatch):
    """The sizes of what is parsed as a whole."""
    sizes = []
    loads = json.loads
    monkeypatch.setattr("tokentrace.streams.body.json.loads", lambda text: (sizes.append(len(text)), loads(text))[1])
    return sizes


def _counted(seen):
    return images.FORMAT.count(seen, "openai", {})


def test_a_large_picture_is_not_parsed(parsed):
    seen = Reading()
    read_whole(json.dumps({"created": 1, "data": [{"b64_json": PIXELS}], "usage": USAGE}).encode(), images.FORMAT, seen)
    assert _counted(seen).buckets == {"input_text": 14, "output_image": 272}
    assert max(parsed) < BULKY


def test_a_large_picture_at_the_end_of_a_stream_is_not_parsed(parsed):
    seen = Reading()
    event = {"type": "image_generation.completed", "b64_json": PIXELS, "usage": USAGE}
    Events(images.FORMAT, seen).feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert (_counted(seen).buckets, seen.complete) == ({"input_text": 14, "output_image": 272}, True)
    assert not parsed


def test_what_wrote_a_large_drawing_is_priced_too():
    seen = Reading()
    body = {"data": [{"svg": PIXELS}], "svg_usage": SVG, "usage": USAGE}
    read_whole(json.dumps(body).encode(), images.FORMAT, seen)
    assert _counted(seen).sub == ({"kind": "svg", "model": "gpt-5", "buckets": {"input_text": 40, "output_text": 90}},)
