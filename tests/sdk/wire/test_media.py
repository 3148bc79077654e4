"""Embeddings, images and audio: tokens where a model is priced by them, meters where it is not."""

import pytest

from tokentrace.normalise import read_usage
from tokentrace.usage.buckets import Usage

EMBEDDED = {
    "OpenAI": ({"object": "list", "data": [], "usage": {"prompt_tokens": 7, "total_tokens": 7}}, "openai", {}),
    "Gemini": ({"embeddings": [], "usageMetadata": {"promptTokenCount": 7}}, "gemini", {}),
    "Vertex": (
        {
            "predictions": [{"embeddings": {"statistics": {"token_count": count}}} for count in (3, 4)],
            "metadata": {"billableCharacterCount": 29},
        },
        "vertex",
        {"characters": 29},
    ),
}


@pytest.mark.parametrize("name", EMBEDDED)
def test_embeddings_have_only_input(name):
    body, provider, meters = EMBEDDED[name]
    assert read_usage(body, provider=provider, api="embeddings") == Usage({"input_text": 7}, meters)


def test_an_embedding_that_counts_nothing_is_missing():
    read = read_usage({"embeddings": [{"values": [0.1]}]}, provider="gemini", api="embeddings")
    assert read == Usage(flags={"usage_source": "missing", "billable": "unknown"})


def test_images_without_tokens_are_counted():
    body = {"created": 1, "data": [{"url": "https://example.com/1"}, {"url": "https://example.com/2"}]}
    assert read_usage(body, provider="openai", api="images") == Usage(meters={"images": 2})


def test_images_of_vertex_are_counted_where_they_were_made():
    body = {"predictions": [{"bytesBase64Encoded": "aGVsbG8="}, {"raiFilteredReason": "…"}]}
    assert read_usage(body, provider="vertex", api="predict") == Usage(meters={"images": 1})


def test_a_stream_of_images_counts_with_its_last_event():
    usage = {"input_tokens": 50, "input_tokens_details": {"text_tokens": 50}, "output_tokens": 272, "total_tokens": 322}
    parts = [
        {"type": "image_generation.partial_image", "b64_json": "aGVsbG8="},
        {"type": "image_generation.completed", "b64_json": "aGVsbG8=", "usage": usage},
    ]
    read = read_usage(parts, provider="openai", api="images")
    assert (read.buckets, read.flags) == ({"input_text": 50, "output_image": 272}, {})


def test_drawings_are_priced_by_the_model_that_wrote_them():
    svg = {"model": "gpt-5", "input_tokens": 40, "output_tokens": 90, "reasoning_tokens": 30, "total_tokens": 130}
    body = {"data": [{}], "usage": {"input_tokens": 40, "output_tokens": 10, "total_tokens": 50}, "svg_usage": svg}
    part = {"kind": "svg", "model": "gpt-5", "buckets": {"input_text": 40, "output_reasoning": 30, "output_text": 60}}
    assert read_usage(body, provider="openai", api="images").sub == (part,)


def test_a_stream_of_a_transcript_counts_with_its_last_event():
    usage = {
        "type": "tokens",
        "input_tokens": 37,
        "input_token_details": {"audio_tokens": 37},
        "output_tokens": 5,
        "total_tokens": 42,
    }
    parts = [{"type": "transcript.text.delta", "delta": "Ru"}, {"type": "transcript.text.done", "usage": usage}]
    assert read_usage(parts, provider="openai", api="transcription") == Usage(
        {"input_audio": 37, "output_text": 5}, zeros=frozenset({"input_text"})
    )


def test_a_transcript_without_usage_is_as_long_as_its_audio():
    read = read_usage({"text": "Ruby", "duration": 8.47}, provider="azure", api="transcription")
    assert read == Usage(meters={"audio_seconds": 8.47})


def test_speech_is_as_long_as_what_was_to_be_said():
    spoken = {"characters": 19, "http_status": 200}
    assert read_usage(None, provider="openai", api="speech", context=spoken) == Usage(meters={"characters": 19})


def test_speech_that_was_refused_costs_nothing():
    refused = {"characters": 19, "http_status": 400}
    read = read_usage({"error": {"code": "voice_not_found"}}, provider="openai", api="speech", context=refused)
    assert read == Usage(flags={"usage_source": "missing", "billable": False})


def test_speech_that_was_never_answered_may_cost():
    read = read_usage(None, provider="openai", api="speech", context={"characters": 19})
    assert read == Usage(flags={"usage_source": "missing", "billable": "unknown"})


def test_speech_in_events_counts_with_its_last_event():
    usage = {"input_tokens": 14, "output_tokens": 101, "total_tokens": 115}
    parts = [{"type": "speech.audio.delta", "audio": "aGVsbG8="}, {"type": "speech.audio.done", "usage": usage}]
    read = read_usage(parts, provider="openai", api="speech")
    assert (read.buckets, read.flags) == ({"input_text": 14, "output_audio": 101}, {})


VIDEO = {"id": "video_1", "object": "video", "model": "sora-2", "seconds": "8"}


@pytest.mark.parametrize(("status", "flags"), [
    ("completed", {}),
    ("queued", {"billable": "unknown"}),
    ("failed", {"billable": False}),
])  # fmt: skip
def test_a_video_is_billed_by_its_seconds_unless_it_fails(status, flags):
    read = read_usage(VIDEO | {"status": status}, provider="openai", api="videos")
    assert read == Usage(meters={"video_seconds": 8}, flags=flags)


def test_of_an_extended_video_only_the_extension_is_billed():
    job = VIDEO | {"status": "completed", "seconds": "12"}
    read = read_usage(job, provider="openai", api="videos", context={"added_seconds": "4"})
    assert read.meters == {"video_seconds": 4}
