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
    loads, decode = json.loads, json.JSONDecoder().raw_decode
    monkeypatch.setattr("tokentrace.streams.body.json.loads", lambda text: (sizes.append(len(text)), loads(text))[1])
    monkeypatch.setattr(
        "tokentrace.streams.body._json.raw_decode", lambda text: (sizes.append(len(text)), decode(text))[1]
    )
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
    assert max(parsed) < BULKY


@pytest.mark.parametrize(
    "dressed",
    [
        pytest.param(lambda text: text.encode(), id="bare"),
        pytest.param(lambda text: f"\r\n\t {text} \n".encode(), id="with white around it"),
        pytest.param(lambda text: text.encode("utf-8-sig"), id="with a mark of the order of its bytes"),
        pytest.param(lambda text: text.encode("utf-16"), id="in UTF-16"),
        pytest.param(lambda text: text.encode("utf-32-le"), id="in UTF-32"),
        pytest.param(lambda text: text.encode().replace(b"Zwei", b"\xed\xa0\x80"), id="with half a character"),
    ],
)
def test_a_document_is_read_however_json_may_be_sent(dressed):
    seen = Reading()
    text = json.dumps({"id": "1", "said": "Zwei plus zwei: \u00fc", "usage": USAGE}, ensure_ascii=False)
    read_whole(dressed(text), images.FORMAT, seen)
    assert _counted(seen).buckets == {"input_text": 14, "output_image": 272}


def test_two_documents_are_not_one():
    seen = Reading()
    document = json.dumps({"created": 1, "usage": USAGE}).encode()
    with pytest.raises(ValueError, match="Extra data"):
        json.loads(document * 2)
    read_whole(document * 2, images.FORMAT, seen)
    assert seen.usage == {}


def test_what_wrote_a_large_drawing_is_priced_too():
    seen = Reading()
    body = {"data": [{"svg": PIXELS}], "svg_usage": SVG, "usage": USAGE}
    read_whole(json.dumps(body).encode(), images.FORMAT, seen)
    assert _counted(seen).sub == ({"kind": "svg", "model": "gpt-5", "buckets": {"input_text": 40, "output_text": 90}},)
