"""The reported input, shared out over what was sent: exactly, and with nothing where nothing is known."""

from __future__ import annotations

from operator import sub
from threading import Thread
from typing import NamedTuple

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace.estimation import composition
from tokentrace.estimation.composition import CACHEABLE, leading, told
from tokentrace.estimation.prefixes import LIFE, MOST, Prefixes
from tokentrace.estimation.runs import Runs, scaled, weight
from tokentrace.usage.buckets import Usage
from tokentrace.usage.prompt import EVERYTHING, KINDS, MEDIA, Other, file, image, kept, structured

OTHERS = st.builds(
    Other, st.integers(0, 10**6), st.sampled_from((0, 1, 5_000, EVERYTHING)), st.integers(1, 2**60), st.none()
)
PIECES = st.lists(st.tuples(st.sampled_from(KINDS), st.text() | OTHERS), min_size=1, max_size=12)
INPUT = (
    "input_text",
    "input_image",
    "input_audio",
    "cache_read",
    "cache_read_image",
    "cache_write_5m",
    "tool_use_prompt",
)
BUCKETS = st.dictionaries(st.sampled_from(INPUT), st.integers(1, 10**9))
METERS = st.dictionaries(st.sampled_from(("web_search", "images")), st.integers(1, 5))
SHOWN = frozenset({"input_image", "input_audio", "cache_read_image"})
TO = ("openai", "gpt-6")


class Share(NamedTuple):
    """A run of a prompt, and how many tokens of the input it is."""

    kind: str
    pieces: int
    tokens: int


def shared(prompt, usage):
    """The shares of a prompt; none where they cannot be told."""
    if not usage.input:
        return []
    runs = Runs(prompt)
    tokens = composition.shared(runs, usage, usage.input) or ()
    return [Share(*each) for each in zip(runs.kinds, map(sub, runs.ends, (0, *runs.ends)), tokens, strict=False)]


def led(prompt, usage, pieces):
    """Tokens of so many pieces at the beginning of a prompt."""
    runs = Runs(prompt)
    return leading(prompt, runs, composition.shared(runs, usage, usage.input) or [0] * len(runs.kinds), pieces)


def repeated(sent, recipient, prompt):
    """How much of a prompt was sent before."""
    return sent.repeated(Runs(prompt, recipient).beginnings)


def totals(shares: list[Share]) -> dict[str, int]:
    """Tokens by kind."""
    found: dict[str, int] = {}
    for share in shares:
        found[share.kind] = found.get(share.kind, 0) + share.tokens
    return found


@settings(deadline=None)
@given(prompt=PIECES, buckets=BUCKETS, meters=METERS)
def test_shares_are_all_of_the_input_or_none(prompt, buckets, meters):
    usage = Usage(buckets=buckets, meters=meters)
    shares = shared(prompt, usage)
    assert not shares or sum(share.tokens for share in shares) == usage.input
    assert all(share.tokens >= 0 for share in shares)


@settings(deadline=None)
@given(prompt=PIECES, buckets=BUCKETS)
def test_only_a_prompt_without_any_length_has_no_shares(prompt, buckets):
    usage = Usage(buckets=buckets)
    told = any(weight(piece) or (isinstance(piece[1], Other) and piece[1].most) for piece in prompt)
    assert bool(shared(prompt, usage)) >= (told and bool(usage.input) and not any(kind == MEDIA for kind, _ in prompt))


@settings(deadline=None)
@given(prompt=PIECES, buckets=BUCKETS)
def test_shares_stand_in_the_order_of_the_prompt(prompt, buckets):
    shares = [share for share in shared(prompt, Usage(buckets=buckets)) if share.pieces]
    told = [share.kind for share in shares for _ in range(share.pieces)]
    assert told == ([kind for kind, _ in prompt] if shares else [])


@settings(deadline=None)
@given(prompt=PIECES, buckets=BUCKETS)
def test_media_have_exactly_what_is_counted_as_such(prompt, buckets):
    usage = Usage(buckets=buckets | {"input_text": 10, "input_image": 90})
    shown = sum(count for name, count in usage.buckets.items() if name in SHOWN)
    assert totals(shared([("user", "2+2?"), *prompt], usage))[MEDIA] == shown


@settings(deadline=None)
@given(weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=20), total=st.integers(0, 10**12))
def test_scaling_is_fair_to_a_token(weights, total):
    counts = scaled(weights, total)
    whole = sum(weights)
    assert counts is None if total and not whole else sum(counts) == (total if whole else 0)
    assert all(
        abs(count * whole - each * total) <= max(whole - 1, 0)
        for count, each in zip(counts or (), weights, strict=False)
    )


def test_largest_remainders_are_rounded_up():
    assert scaled([1, 1, 1], 100) == [34, 33, 33]
    assert scaled([10, 3], 4) == [3, 1]


def test_an_input_that_was_not_reported_has_no_shares():
    answered = Usage(buckets={"output_text": 5})
    assert told([("user", "2+2?")], answered, answered.input, TO, Prefixes()) == {}
    assert told([("user", "2+2?")], Usage(), None, TO, Prefixes()) == {}
    assert told([], Usage(buckets={"input_text": 5}), 5, TO, Prefixes()) == {}


def test_a_text_weighs_what_its_bytes_weigh():
    assert [weight(("user", text)) for text in ("abcd", "é" * 4, "漢字", "")] == [4, 8, 6, 0]
    # Half of it is beyond the sample, and goes by it.
    assert weight(("user", "漢" * 5_000)) == 15_000


def test_an_image_takes_what_the_text_leaves_over():
    prompt = [("user", "x" * 400), image("https://example.com/cat.png")]
    assert totals(shared(prompt, Usage(buckets={"input_text": 900}))) == {"user": 100, "media": 800}


def test_an_image_is_never_nothing_and_never_more_than_an_image():
    prompt = [("user", "x" * 40_000), image("https://example.com/cat.png")]
    assert totals(shared(prompt, Usage(buckets={"input_text": 5_000})))[MEDIA] == 64
    assert totals(shared(prompt, Usage(buckets={"input_text": 50_000})))[MEDIA] == 5_000


def test_what_the_provider_has_kept_is_the_rest():
    prompt = [kept("history", "resp_1"), ("user", "x" * 400)]
    assert totals(shared(prompt, Usage(buckets={"input_text": 100, "cache_read": 2_000}))) == {
        "history": 2_000,
        "user": 100,
    }


def test_what_the_provider_fetched_stands_at_the_end():
    searched = Usage(buckets={"input_text": 5_000}, meters={"web_search": 1})
    assert shared([("user", "x" * 400)], searched) == [("user", 1, 100), ("tool_results", 0, 4_900)]
    counted = Usage(buckets={"input_text": 50, "tool_use_prompt": 70}, meters={"web_search": 1})
    assert shared([("user", "x" * 400)], counted) == [("user", 1, 50), ("tool_results", 0, 70)]


def test_media_beside_the_body_come_before_the_question():
    usage = Usage(buckets={"input_text": 10, "input_image": 90})
    assert shared([("system", "x"), ("user", "x")], usage) == [("system", 1, 5), ("media", 0, 90), ("user", 1, 5)]


def test_what_frames_a_sound_is_counted_with_it():
    assert shared([file()], Usage(buckets={"input_audio": 35, "input_text": 2})) == [("media", 1, 37)]


def test_attributes_say_the_kinds_in_order_and_their_sums():
    prompt = [("system", "x"), ("user", "x"), ("history", "xx"), ("user", "x")]
    assert told(prompt, Usage(buckets={"input_text": 500}), 500, TO, Prefixes()) == {
        "tokentrace.input.system": 100,
        "tokentrace.input.user": 200,
        "tokentrace.input.history": 200,
        "tokentrace.input.segments": ("system:100", "user:100", "history:200", "user:100"),
        "tokentrace.prefix.repeated": 0,
        "tokentrace.prefix.cacheable": 0,
    }


@settings(deadline=None)
@given(prompt=PIECES, buckets=BUCKETS, data=st.data())
def test_what_leads_grows_with_the_pieces_up_to_the_prompt(prompt, buckets, data):
    usage = Usage(buckets=buckets | {"input_text": 10})
    shares = shared(prompt, usage)
    first = data.draw(st.integers(0, len(prompt)))
    tokens = [led(prompt, usage, pieces) for pieces in (0, first, len(prompt))]
    assert tokens == sorted(tokens)
    assert tokens[0] == 0
    assert tokens[-1] <= sum(share.tokens for share in shares)


def test_what_leads_inside_of_neighbours_goes_by_their_bytes():
    prompt = [("history", "x" * 30), ("history", "x" * 10), ("user", "x" * 40)]
    usage = Usage(buckets={"input_text": 800})
    assert [led(prompt, usage, pieces) for pieces in range(4)] == [0, 300, 400, 800]


def test_a_prefix_that_is_too_short_for_a_cache_is_only_repeated():
    prompt = [("system", "x" * 30), ("user", "x" * 10)]
    sent = Prefixes()
    repeated(sent, TO, prompt[:1])
    found = told(prompt, Usage(buckets={"input_text": CACHEABLE}), CACHEABLE, TO, sent)
    assert (found["tokentrace.prefix.repeated"], found["tokentrace.prefix.cacheable"]) == (CACHEABLE * 3 // 4, 0)
    sent = Prefixes()
    repeated(sent, TO, prompt[:1])
    found = told(prompt, Usage(buckets={"input_text": 2 * CACHEABLE}), 2 * CACHEABLE, TO, sent)
    assert found["tokentrace.prefix.cacheable"] == 2 * CACHEABLE * 3 // 4


def test_a_conversation_repeats_its_beginning_whatever_its_pieces_have_become():
    sent = Prefixes()
    assert repeated(sent, TO, [("system", "Be brief."), ("user", "2+2?")]) == (0, 0)
    longer = [("system", "Be brief."), ("history", "2+2?"), ("history", "4"), ("user", "3+3?")]
    assert repeated(sent, TO, longer) == (2, 2)
    assert repeated(sent, TO, longer) == (4, 4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.sampled_from((0, 1, 2000)))))
def test_of_every_prompt_it_is_known_how_far_it_was_sent_and_how_lately(sendings):
    with pytest.MonkeyPatch.context() as patch:
        sent, known, now = Prefixes(), dict[tuple[str, ...], float](), 1.0
        for texts, passed in sendings:
            now += passed
            patch.setattr("tokentrace.estimation.prefixes.monotonic", lambda now=now: now)
            beginnings = [tuple(texts[:length]) for length in range(1, len(texts) + 1)]
            ever = sum(each in known for each in beginnings)
            lately = sum(each in known and now - known[each] <= LIFE for each in beginnings)
            assert repeated(sent, TO, [("user", text) for text in texts]) == (ever, lately)
            known.update(dict.fromkeys(beginnings, now))


def test_only_the_same_model_has_seen_it():
    sent = Prefixes()
    repeated(sent, TO, [("user", "2+2?")])
    assert repeated(sent, ("openai", "gpt-5"), [("user", "2+2?")]) == (0, 0)
    assert repeated(sent, ("azure.ai.openai", "gpt-6"), [("user", "2+2?")]) == (0, 0)


def test_a_change_in_front_makes_all_of_it_new():
    sent = Prefixes()
    repeated(sent, TO, [("system", "It is 10:01."), ("user", "2+2?")])
    assert repeated(sent, TO, [("system", "It is 10:02."), ("user", "2+2?")]) == (0, 0)


def test_tools_are_known_by_what_they_are():
    sent = Prefixes()
    repeated(sent, TO, [structured("tool_definitions", [{"name": "add"}])])
    assert repeated(sent, TO, [structured("tool_definitions", [{"name": "add"}])]) == (1, 1)
    assert repeated(sent, TO, [structured("tool_definitions", [{"name": "sub"}])]) == (0, 0)


def test_a_long_text_is_known_by_its_length_and_samples():
    sent = Prefixes()
    long = "abc" * 100_000
    repeated(sent, TO, [("user", long)])
    assert repeated(sent, TO, [("user", "".join(["abc"] * 100_000))]) == (1, 1)
    assert repeated(sent, TO, [("user", long[:-1])]) == (0, 0)
    assert repeated(sent, TO, [("user", long[:-1] + "d")]) == (0, 0)


def test_what_nobody_can_tell_apart_repeats_nothing():
    sent = Prefixes()
    repeated(sent, TO, [("system", "Look."), file(), ("user", "What is it?")])
    assert repeated(sent, TO, [("system", "Look."), file(), ("user", "What is it?")]) == (1, 1)


def test_a_prefix_of_long_ago_is_repeated_but_in_no_cache(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("tokentrace.estimation.prefixes.monotonic", lambda: now[0])
    sent = Prefixes()
    repeated(sent, TO, [("user", "2+2?")])
    now[0] += 3601
    assert repeated(sent, TO, [("user", "2+2?")]) == (1, 0)


def test_what_is_kept_is_bounded_and_the_rest_is_forgotten():
    sent = Prefixes()
    repeated(sent, TO, [("user", "2+2?")])
    for number in range(2 * MOST + 2):
        repeated(sent, TO, [("user", str(number))])
    assert repeated(sent, TO, [("user", "2+2?")]) == (0, 0)
    assert repeated(sent, TO, [("user", str(2 * MOST))]) == (1, 1)
    kept_now = sum(len(value) for value in vars(sent).values())
    assert kept_now <= 2 * MOST + 2


def test_many_threads_may_send_at_once():
    sent, failed = Prefixes(), []

    def send(first: int) -> None:
        try:
            for number in range(first, first + 20_000):
                repeated(sent, TO, [("system", "Be brief."), ("user", str(number))])
        except Exception as error:  # noqa: BLE001  (a thread's error would be lost)
            failed.append(error)

    threads = [Thread(target=send, args=(20_000 * place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert repeated(sent, TO, [("system", "Be brief."), ("user", "?")]) == (1, 1)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_a_share_counts_its_pieces(size):
    prompt = [("system", "x"), *[("user", "y")] * size, ("history", "z")]
    pieces = [share.pieces for share in shared(prompt, Usage(buckets={"input_text": 100}))]
    assert pieces == ([1, size, 1] if size else [1, 1])
