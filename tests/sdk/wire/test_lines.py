"""Bodies of other shapes than one JSON object or server-sent events: lines, lists, and much that nobody needs."""

import json

import pytest

from tokentrace.streams import body
from tokentrace.usage.reading import Reading
from tokentrace.wire import cohere, embeddings, generation, ocr, ollama

OPEN = {"model": "gemma3", "message": {"role": "assistant", "content": '{"done": true}\n'}, "done": False}
DONE = {"model": "gemma3", "done": True, "done_reason": "stop", "prompt_eval_count": 26, "eval_count": 298}
LINES = b"".join(json.dumps(line).encode() + b"\n" for line in (OPEN, OPEN, DONE))
COUNTED = {"input_text": 26, "output_text": 298}


@pytest.mark.parametrize("size", [1, 7, 100, len(LINES)])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_lines_say_the_same_in_whatever_pieces_they_come(size, end):
    content = LINES.rstrip() + end.encode()
    seen = Reading()
    lines = body.Lines(ollama.FORMAT, seen)
    for at in range(0, len(content), size):
        lines.feed(content[at : at + size])
    lines.end()
    assert (seen.model, seen.complete, seen.finish) == ("gemma3", True, {0: "stop"})
    assert ollama.FORMAT.count(seen, "ollama", {}).buckets == COUNTED


def test_lines_that_come_at_once_are_read_as_a_whole():
    seen = Reading()
    body.read_whole(LINES, ollama.FORMAT, seen)
    assert ollama.FORMAT.count(seen, "ollama", {}).buckets == COUNTED


def test_a_list_is_read_item_by_item():
    seen = Reading()
    details = {"finish_reason": "length", "generated_tokens": 12, "prefill": [{}, {}, {}], "tokens": []}
    body.read_whole(json.dumps([{"generated_text": "…", "details": details}]).encode(), generation.FORMAT, seen)
    assert generation.FORMAT.count(seen, "huggingface", {}).buckets == {"input_text": 3, "output_text": 12}


VECTOR = [0.125] * 8192
LARGE = [
    (cohere.EMBEDDINGS, {"id": "e", "embeddings": VECTOR, "meta": {"billed_units": {"input_tokens": 2.0}}}),
    (ollama.EMBEDDINGS, {"model": "m", "embeddings": [VECTOR], "total_duration": 1, "prompt_eval_count": 2}),
    (embeddings.FORMAT, {"data": [{"embedding": VECTOR}], "model": "m", "usage": {"prompt_tokens": 2}}),
]


@pytest.mark.parametrize(("fmt", "answer"), LARGE, ids=[fmt.name for fmt, _ in LARGE])
def test_vectors_are_not_parsed(fmt, answer, monkeypatch):
    content = json.dumps(answer).encode()
    parsed = json.loads
    monkeypatch.setattr(body.json, "loads", lambda part: parsed(part) if len(part) < body.BULKY else None)
    seen = Reading()
    body.read_whole(content, fmt, seen)
    assert fmt.count(seen, "cohere", {}).buckets == {"input_text": 2}


def test_vectors_alone_say_nothing():
    seen = Reading()
    body.read_whole(json.dumps([VECTOR]).encode(), embeddings.FORMAT, seen)
    assert embeddings.FORMAT.count(seen, "huggingface", {}).flags["usage_source"] == "missing"


@pytest.mark.parametrize("pages", [[], [{"index": 0, "images": [{"image_base64": "A" * body.BULKY}]}]])
def test_pages_are_metered_however_large_they_are(pages):
    answer = {"pages": pages, "model": "mistral-ocr-latest", "usage_info": {"pages_processed": 29}}
    seen = Reading()
    body.read_whole(json.dumps(answer).encode(), ocr.FORMAT, seen)
    assert (seen.model, ocr.FORMAT.count(seen, "mistral_ai", {}).meters) == ("mistral-ocr-latest", {"pages": 29})
