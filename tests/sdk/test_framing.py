"""What is found in a file of the spool after it was cut, overwritten or torn: every whole record, and no other."""

from __future__ import annotations

from hypothesis import given, strategies as st

from tokentrace.delivery import framing

BATCHES = st.lists(st.tuples(st.binary(max_size=200), st.integers(1, 512)), max_size=8)


def written(batches):
    """The file, and where each record ends."""
    data, ends = b"", []
    for payload, spans in batches:
        data += framing.frame(payload, spans)
        ends.append(len(data))
    return data, ends


def read(data):
    """Payload and number of spans of each record."""
    return [(framing.payload(data[record.offset : record.end]), record.spans) for record in framing.scan(data).records]


@given(BATCHES)
def test_what_is_written_is_read(batches):
    data, _ = written(batches)
    assert (read(data), framing.scan(data).lost) == (batches, 0)


@given(BATCHES, st.data())
def test_an_end_at_any_byte_loses_only_the_record_that_was_being_written(batches, draw):
    data, ends = written(batches)
    cut = draw.draw(st.integers(0, len(data)))
    whole = [batch for batch, end in zip(batches, ends, strict=True) if end <= cut]
    torn = batches[len(whole)][1] if len(whole) < len(batches) else 0
    begun = cut - ([0, *ends])[len(whole)]
    # Without a whole header nobody knows how many spans there were.
    lost = torn if begun >= framing.HEADER else min(begun, 1)
    assert (read(data[:cut]), framing.scan(data[:cut]).lost) == (whole, lost)


@given(BATCHES, st.data())
def test_bytes_gone_bad_lose_only_the_records_they_are_in(batches, draw):
    data, ends = written(batches)
    bad = draw.draw(st.sets(st.integers(0, len(data) - 1), max_size=4)) if data else set()
    # The mark may be any byte, and says nothing about the content.
    marks = {begin + framing.MARK for begin in [0, *ends]}
    damaged = bytes(byte ^ 0x5A if at in bad - marks else byte for at, byte in enumerate(data))
    intact = [
        batch
        for batch, begin, end in zip(batches, [0, *ends], ends, strict=False)
        if not any(begin <= at < end for at in bad - marks)
    ]
    assert read(damaged) == intact
    assert (framing.scan(damaged).lost > 0) == (len(intact) < len(batches))


@given(BATCHES, BATCHES, st.binary(max_size=60).filter(lambda junk: framing.MAGIC not in junk))
def test_records_behind_rubbish_are_found(before, after, junk):
    data = written(before)[0] + junk + written(after)[0]
    assert (read(data), framing.scan(data).lost) == ([*before, *after], int(bool(junk)))


@given(BATCHES, st.data())
def test_what_is_done_is_not_read_again_and_what_was_refused_says_how_often(batches, draw):
    data, ends = written(batches)
    marks = [draw.draw(st.sampled_from([0, 3, framing.DONE])) for _ in batches]
    marked = bytearray(data)
    for begin, mark in zip([0, *ends], marks, strict=False):
        marked[begin + framing.MARK] = mark
    found = framing.scan(bytes(marked))
    assert [record.refused for record in found.records] == [mark for mark in marks if mark != framing.DONE]
    assert found.lost == 0
