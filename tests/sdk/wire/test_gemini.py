"""Gemini: thoughts and tool results beside prompt and candidates, every chunk a total so far."""

import json
from typing import Any

import pytest
from google.genai.types import GenerateContentResponse
from hypothesis import given, settings, strategies as st

from tokentrace.normalise import read_usage
from tokentrace.usage.reading import Reading
from tokentrace.wire import gemini, interactions

COUNT = st.integers(0, 10**6)


def by_kind(**kinds: int) -> list[dict[str, Any]]:
    return [{"modality": kind.upper(), "tokenCount": count} for kind, count in kinds.items()]


@st.composite
def usages(draw: st.DrawFn) -> dict[str, Any]:
    prompt, tools, candidates, thoughts = draw(COUNT), draw(COUNT), draw(COUNT), draw(COUNT)
    image = draw(st.integers(0, prompt))
    audio = draw(st.integers(0, prompt - image))
    video = draw(st.integers(0, prompt - image - audio))
    cached_image, cached_audio = draw(st.integers(0, image)), draw(st.integers(0, audio))
    cached_text = draw(st.integers(0, prompt - image - audio - video))
    drawn = draw(st.integers(0, candidates))
    return {
        "promptTokenCount": prompt,
        "toolUsePromptTokenCount": tools,
        "candidatesTokenCount": candidates,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": prompt + tools + candidates + thoughts,
        "cachedContentTokenCount": cached_text + cached_image + cached_audio,
        "promptTokensDetails": by_kind(text=prompt - image - audio - video, image=image, audio=audio, video=video),
        "cacheTokensDetails": by_kind(text=cached_text, image=cached_image, audio=cached_audio),
        "candidatesTokensDetails": by_kind(text=candidates - drawn, image=drawn),
    }


def counts(details: list[dict[str, Any]]) -> dict[str, int]:
    return {detail["modality"]: detail["tokenCount"] for detail in details}


@settings(deadline=None)
@given(usage=usages())
def test_buckets_add_up_to_what_is_reported(usage):
    read = read_usage(usage, provider="gemini", api="generate")
    assert (sum(read.buckets.values()), dict(read.flags)) == (usage["totalTokenCount"], {})


@settings(deadline=None)
@given(usage=usages())
def test_every_kind_is_in_a_bucket_of_its_own(usage):
    found = read_usage(usage, provider="gemini", api="generate").buckets
    asked, cached = counts(usage["promptTokensDetails"]), counts(usage["cacheTokensDetails"])
    for kind in ("IMAGE", "AUDIO"):
        name = kind.lower()
        assert found.get(f"cache_read_{name}", 0) == cached[kind]
        assert found.get(f"input_{name}", 0) == asked[kind] - cached[kind]
    assert (found.get("input_video", 0), found.get("cache_read", 0)) == (asked["VIDEO"], cached["TEXT"])
    assert found.get("output_image", 0) == counts(usage["candidatesTokensDetails"])["IMAGE"]
    assert found.get("output_reasoning", 0) == usage["thoughtsTokenCount"]


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    pieces = st.sampled_from(
        [{"text": "4"}, {"text": "Two and two.", "thought": True}, {"functionCall": {"name": "add"}}]
    )
    grounding = {"webSearchQueries": draw(st.lists(st.just("2+2"), max_size=3)), "groundingChunks": []}
    candidate = {
        "content": {"role": "model", "parts": draw(st.lists(pieces, max_size=4))},
        "finishReason": "STOP",
        "index": 0,
    }
    if draw(st.booleans()):
        candidate["groundingMetadata"] = grounding
    return {
        "responseId": "r1",
        "modelVersion": draw(st.sampled_from(["gemini-2.5-flash", "gemini-3-pro"])),
        "candidates": [candidate],
        "usageMetadata": {**draw(usages()), "trafficType": "ON_DEMAND_PRIORITY"},
    }


def chunks(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The response as a stream of it would bring it."""
    (candidate,), usage = answer["candidates"], answer["usageMetadata"]
    early = {"promptTokenCount": usage["promptTokenCount"], "totalTokenCount": usage["promptTokenCount"]}
    head = {name: answer[name] for name in ("responseId", "modelVersion")}
    parts = [{"content": {"role": "model", "parts": [piece]}, "index": 0} for piece in candidate["content"]["parts"]]
    stream = [{**head, "candidates": [part], "usageMetadata": early} for part in parts]
    last = {**candidate, "content": {"role": "model", "parts": []}}
    return [*stream, {**head, "candidates": [last], "usageMetadata": usage}]


def seen(*parts: Any) -> Reading:
    reading = Reading()
    for part in parts:
        gemini.read(part, reading)
    return reading


@settings(deadline=None)
@given(answer=answers())
def test_a_stream_reads_like_the_complete_answer(answer):
    assert seen(*chunks(answer)) == seen(answer)


@settings(deadline=None)
@given(answer=answers(), separators=st.sampled_from([(",", ":"), (", ", ": ")]))
def test_the_marked_chunks_of_a_stream_tell_everything(answer, separators):
    data = [json.dumps(part, separators=separators).encode() for part in chunks(answer)]
    told = [json.loads(one) for place, one in enumerate(data) if not place or gemini.FORMAT.marks.search(one)]
    assert seen(*told) == seen(answer)


@settings(deadline=None)
@given(answer=answers())
def test_objects_of_the_client_read_like_their_json(answer):
    vendor, plain = seen(GenerateContentResponse.model_validate(answer)), seen(answer)
    assert gemini.count(vendor, "gcp.gemini", {}) == gemini.count(plain, "gcp.gemini", {})
    assert (vendor.finish, vendor.model, vendor.tier, vendor.facts) == (
        plain.finish,
        plain.model,
        plain.tier,
        plain.facts,
    )


def test_candidates_that_count_their_thoughts_in_are_told_by_the_total():
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 50, "thoughtsTokenCount": 30, "totalTokenCount": 60}
    assert read_usage(usage, provider="gemini", api="generate").buckets == {
        "input_text": 10,
        "output_text": 20,
        "output_reasoning": 30,
    }


def test_candidates_that_are_left_out_are_what_the_total_leaves():
    usage = {"promptTokenCount": 10, "thoughtsTokenCount": 30, "totalTokenCount": 60}
    assert read_usage(usage, provider="gemini", api="generate").buckets == {
        "input_text": 10,
        "output_text": 20,
        "output_reasoning": 30,
    }


def test_a_total_that_nothing_explains_is_said():
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 99}
    read = read_usage(usage, provider="gemini", api="generate")
    assert (read.buckets, read.flags) == ({"input_text": 10, "output_text": 5}, {"inconsistent": True})


def test_pages_of_a_document_are_images():
    usage = {"promptTokenCount": 300, "promptTokensDetails": by_kind(text=42, document=258)}
    assert read_usage(usage, provider="gemini", api="generate").buckets == {"input_text": 42, "input_image": 258}


GROUNDED = {"gemini-2.5-flash": 1, "gemini-3-pro-preview": 3, "gemini-10-pro": 3}


@pytest.mark.parametrize("model", GROUNDED)
def test_grounding_is_billed_by_the_prompt_before_gemini_3_and_by_the_query_since(model):
    candidate = {"finishReason": "STOP", "groundingMetadata": {"webSearchQueries": ["a", "b", "c"]}}
    usage = {"promptTokenCount": 10, "toolUsePromptTokenCount": 90, "candidatesTokenCount": 5, "totalTokenCount": 105}
    body = {"modelVersion": model, "candidates": [candidate], "usageMetadata": usage}
    read = read_usage(body, provider="gemini", api="generate")
    assert (read.meters, read.flags) == ({"web_search": GROUNDED[model]}, {"tool_use_prompt_billable": False})


def test_a_blocked_prompt_may_or_may_not_be_billed():
    body = {
        "promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 18, "totalTokenCount": 18},
    }
    read = read_usage(body, provider="gemini", api="generate")
    assert (read.buckets, read.flags) == ({"input_text": 18}, {"billable": "unknown"})


TIERS = {"ON_DEMAND": "standard", "ON_DEMAND_FLEX": "flex", "PROVISIONED_THROUGHPUT": "provisioned_throughput"}


@pytest.mark.parametrize("traffic", TIERS)
def test_the_tier_that_changes_the_price_is_noted(traffic):
    assert seen({"usageMetadata": {"promptTokenCount": 1, "trafficType": traffic}}).tier == TIERS[traffic]


def test_an_error_inside_a_stream_is_named():
    error = {"error": {"code": 429, "message": "…", "status": "RESOURCE_EXHAUSTED"}}
    assert seen(error).error == "RESOURCE_EXHAUSTED"


def test_a_live_turn_is_over_when_it_says_so():
    usage = {"promptTokenCount": 5, "responseTokenCount": 2, "totalTokenCount": 7}
    parts = [{"serverContent": {"modelTurn": {}}}, {"usageMetadata": usage, "serverContent": {"turnComplete": True}}]
    read = read_usage(parts, provider="gemini", api="live")
    assert (read.buckets, read.flags) == ({"input_text": 5, "output_text": 2}, {})


def test_an_interaction_counts_under_other_names():
    usage = {
        "total_tokens": 470,
        "total_input_tokens": 266,
        "input_tokens_by_modality": [{"modality": "text", "tokens": 8}, {"modality": "image", "tokens": 258}],
        "total_cached_tokens": 0,
        "total_output_tokens": 4,
        "total_tool_use_tokens": 100,
        "total_thought_tokens": 100,
        "grounding_tool_count": [{"type": "google_search", "count": 2}],
    }
    body = {"id": "v1_1", "object": "interaction", "status": "completed", "model": "gemini-3-pro", "usage": usage}
    read = read_usage(body, provider="gemini", api="interactions")
    assert (read.buckets, read.meters, read.flags) == (
        {"input_text": 8, "input_image": 258, "tool_use_prompt": 100, "output_text": 4, "output_reasoning": 100},
        {"web_search": 2},
        {"tool_use_prompt_billable": False},
    )


def test_a_stream_of_an_interaction_reads_like_the_interaction():
    usage = {"total_input_tokens": 9, "total_output_tokens": 4, "total_thought_tokens": 2, "total_tokens": 15}
    parts = [
        {"event_type": "interaction.created", "interaction": {"id": "v1_1", "status": "in_progress"}},
        {"event_type": "step.delta", "index": 0, "delta": {"text": "4", "type": "text"}},
        {"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "completed", "usage": usage}},
    ]
    whole = {"id": "v1_1", "status": "completed", "usage": usage}
    streamed, read = (read_usage(raw, provider="gemini", api="interactions") for raw in (parts, whole))
    assert streamed == read
    assert (read.buckets, read.flags) == ({"input_text": 9, "output_text": 4, "output_reasoning": 2}, {})


@pytest.mark.parametrize(("model", "searches"), [("gemini-live-2.5-flash", 1), ("gemini-3.1-flash-live", 2)])
def test_a_live_turn_is_billed_by_the_search_as_its_model_is(model, searches):
    usage = {"promptTokenCount": 5, "responseTokenCount": 2, "totalTokenCount": 7}
    found = {"groundingMetadata": {"webSearchQueries": ["host", "final"]}}
    parts = [{"serverContent": found}, {"usageMetadata": usage, "serverContent": {"turnComplete": True}}]
    read = read_usage(parts, provider="gemini", api="live", context={"requested_model": model})
    assert read.meters == {"web_search": searches}


def told(interaction: dict[str, Any]) -> Reading:
    reading = Reading()
    interactions.FORMAT.read(interaction, reading)
    return reading


@pytest.mark.parametrize("status", ["completed", "requires_action", "requires_continuation", "incomplete", "cancelled"])
def test_an_interaction_that_has_stopped_is_all_there(status):
    usage = {"total_input_tokens": 9, "total_output_tokens": 4, "total_tokens": 13}
    read = told({"id": "v1_1", "status": status, "usage": usage})
    assert (read.complete, read.error) == (True, None)


@pytest.mark.parametrize("status", ["in_progress", "queued"])
def test_an_interaction_that_goes_on_is_not_all_there(status):
    assert not told({"id": "v1_1", "status": status}).complete


def test_an_interaction_that_has_failed_names_its_error():
    kinds = [{"code": 13, "message": "…"}], [], None
    errors = [told({"status": "failed", "errors": errors}).error for errors in kinds]
    assert errors == ["13", "failed", "failed"]


def test_an_interaction_that_breaks_off_counts_what_it_told_last():
    first, second = ({"total_input_tokens": 9, "total_output_tokens": n, "total_tokens": 9 + n} for n in (2, 5))
    parts = [
        {"event_type": "interaction.created", "interaction": {"id": "v1_1", "status": "in_progress"}},
        {"event_type": "step.stop", "index": 0, "usage": first, "step_usage": first},
        {"event_type": "step.delta", "index": 1, "delta": {"type": "text"}, "metadata": {"total_usage": second}},
    ]
    read = read_usage(parts, provider="gemini", api="interactions")
    assert (read.buckets, read.flags["usage_source"]) == ({"input_text": 9, "output_text": 5}, "partial_stream")


def test_only_searches_of_the_web_are_priced_as_such():
    counts = [{"type": "google_maps", "count": 3}, {"type": "google_search", "count": 1}, {"type": "retrieval"}]
    usage = {"total_input_tokens": 9, "total_output_tokens": 4, "total_tokens": 13, "grounding_tool_count": counts}
    read = read_usage({"status": "completed", "usage": usage}, provider="gemini", api="interactions")
    assert read.meters == {"web_search": 1}


def test_a_decision_counts_as_an_interaction_does():
    usage = {"total_input_tokens": 9, "total_output_tokens": 4, "total_tokens": 13}
    read = read_usage({"answers": {}, "usage": usage}, provider="gemini", api="decisions")
    assert (read.buckets, read.flags) == ({"input_text": 9, "output_text": 4}, {})


def test_a_decision_that_was_blocked_may_be_billed():
    usage = {"total_input_tokens": 9, "total_tokens": 9}
    body = {"prompt_feedback": {"block_reason": "safety"}, "usage": usage}
    read = read_usage(body, provider="gemini", api="decisions")
    assert (read.buckets, read.flags) == ({"input_text": 9}, {"billable": "unknown"})


CACHE = {
    "name": "cachedContents/1",
    "model": "models/gemini-2.5-flash",
    "createTime": "2026-01-01T00:00:00Z",
    "expireTime": "2026-01-01T01:30:00.5Z",
    "usageMetadata": {"totalTokenCount": 7200},
}


@pytest.mark.parametrize(("provider", "flags"), [("vertex_ai", {}), ("gemini", {"billable": "unknown"})])
def test_an_explicit_cache_is_written_and_kept(provider, flags):
    read = read_usage(CACHE, provider=f"gcp.{provider}", api="caches")
    assert (read.buckets, read.meters, read.flags) == (
        {"cache_write_unknown": 7200},
        {"cache_token_hours": 7200 * 1.5 + 1},
        flags,
    )


def test_a_cache_of_unknown_life_is_only_written():
    read = read_usage({**CACHE, "expireTime": "soon"}, provider="gcp.vertex_ai", api="caches")
    assert (read.buckets, read.meters) == ({"cache_write_unknown": 7200}, {})


CLIP = {"video": {"uri": "u"}}


@pytest.mark.parametrize(
    "response",
    [{"videos": [CLIP]}, {"generateVideoResponse": {"generatedSamples": [CLIP]}}, {"generatedVideos": [CLIP]}],
)
def test_videos_cost_the_seconds_that_were_asked_for(response):
    done = {"name": "operations/1", "done": True, "response": response}
    read = read_usage(done, provider="gemini", api="operations", context={"video_seconds": 6, "videos_asked": 2})
    assert (read.meters, read.flags) == ({"video_seconds": 6}, {})


def test_videos_that_were_filtered_out_are_free():
    done = {"name": "operations/1", "done": True, "response": {"raiMediaFilteredCount": 1}}
    read = read_usage(done, provider="gemini", api="operations", context={"video_seconds": 6})
    assert (read.meters, read.flags) == ({}, {"billable": False})
