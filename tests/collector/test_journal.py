import os
import random
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from tokentrace_collector.journal.appender import JournalError
from tokentrace_collector.journal.entries import Journal, JournalFullError, Limits
from tokentrace_collector.journal.lock import InUseError
from tokentrace_collector.journal.segment import Entry, Segment, UnreadableError, Writer


def entry(number: int, size: int = 100) -> Entry:
    body = random.Random(number).randbytes(size)
    return Entry(tenant="default", body=body, encoding="", spans=1, size=size, received=number)


def fill(directory: Path, *numbers: int, size: int = 100, limits: Limits | None = None) -> None:
    journal = Journal(directory, limits)
    for number in numbers:
        journal.append(entry(number, size)).result()
    journal.close()


def drained(journal: Journal) -> list[Entry]:
    entries: list[Entry] = []
    while batch := journal.claim():
        entries += batch.entries
        journal.settle(batch)
    return entries


def test_entries_come_out_in_order(tmp_path: Path):
    fill(tmp_path, 1, 2, 3)
    journal = Journal(tmp_path)
    assert drained(journal) == [entry(1), entry(2), entry(3)]
    journal.close()


def test_a_batch_is_the_same_after_a_crash(tmp_path: Path):
    fill(tmp_path, 1, 2, 3)
    first = Journal(tmp_path, Limits(batch_spans=2))
    claimed = first.claim()
    first.append(entry(4)).result()
    first.close()
    second = Journal(tmp_path, Limits(batch_spans=3))
    assert second.claim() == claimed
    second.close()


def test_what_is_settled_does_not_come_again(tmp_path: Path):
    fill(tmp_path, 1, 2)
    journal = Journal(tmp_path)
    drained(journal)
    journal.close()
    fill(tmp_path, 3)
    journal = Journal(tmp_path)
    assert drained(journal) == [entry(3)]
    journal.close()


def test_files_go_when_all_of_them_is_settled(tmp_path: Path):
    limits = Limits(segment_bytes=1000)
    fill(tmp_path, *range(1, 31), limits=limits)
    journal = Journal(tmp_path, limits)
    before = len(list(tmp_path.glob("*.journal")))
    drained(journal)
    assert (before, len(list(tmp_path.glob("*.journal")))) == (3, 1)
    journal.close()


@pytest.mark.fault("full journal")
def test_a_full_journal_refuses(tmp_path: Path):
    journal = Journal(tmp_path, Limits(most_bytes=250))
    journal.append(entry(1)).result()
    journal.append(entry(2)).result()
    with pytest.raises(JournalFullError, match="Is the store up"):
        journal.append(entry(3))
    journal.close()


@pytest.mark.fault("full disk")
def test_a_full_disk_refuses(tmp_path: Path):
    journal = Journal(tmp_path, Limits(least_free=1 << 62))
    with pytest.raises(JournalFullError, match="Make room"):
        journal.append(entry(1))
    journal.close()


@pytest.mark.fault("two collectors on one journal")
def test_a_second_journal_in_the_directory_is_refused(tmp_path: Path):
    journal = Journal(tmp_path)
    with pytest.raises(InUseError, match=f"process id {os.getpid()}"):
        Journal(tmp_path)
    journal.close()


def test_a_lost_note_of_progress_repeats_but_loses_nothing(tmp_path: Path):
    fill(tmp_path, 1, 2)
    (tmp_path / "progress").write_text("garbage")
    journal = Journal(tmp_path)
    assert drained(journal) == [entry(1), entry(2)]
    journal.close()


@pytest.mark.parametrize("content", [None, b"", b"no database at all"])
def test_a_file_left_by_a_start_that_took_nothing_is_in_nobodys_way(tmp_path: Path, content: bytes | None):
    """A collector was killed between making its first file and its first entry, or that file is damaged."""
    left = Segment.at(tmp_path, 1)
    if content is None:
        Writer(left).close()
    else:
        left.path.write_bytes(content)
    journal = Journal(tmp_path)
    journal.append(entry(1)).result()
    assert drained(journal) == [entry(1)]
    journal.append(entry(2)).result()
    journal.append(entry(3)).result()
    assert drained(journal) == [entry(2), entry(3)]
    journal.close()
    fill(tmp_path, 4)
    journal = Journal(tmp_path)
    assert drained(journal) == [entry(4)]
    journal.close()


@pytest.mark.fault("damaged journal")
def test_a_file_that_cannot_be_read_is_kept_for_whoever_can(tmp_path: Path):
    """It may hold entries, so it is set aside and never deleted."""
    Segment.at(tmp_path, 1).path.write_bytes(b"no database at all")
    fill(tmp_path, 1)
    assert [path.read_bytes() for path in tmp_path.glob("*.damaged*")] == [b"no database at all"]


def test_a_first_entry_that_was_refused_leaves_the_next_ones_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A disk that refuses once must not cost what it takes afterwards."""
    append = Writer.append

    def refuse_once(*_: object) -> None:
        monkeypatch.setattr(Writer, "append", append)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Writer, "append", refuse_once)
    journal = Journal(tmp_path)
    with pytest.raises(JournalError, match="No space left"):
        journal.append(entry(1)).result()
    journal.append(entry(2)).result()
    assert drained(journal) == [entry(2)]
    journal.append(entry(3)).result()
    assert drained(journal) == [entry(3)]
    journal.close()


INDEX = "0000000000000001.journal-shm"
"""SQLite makes it to read the first file."""


def block(index: Path) -> None:
    """Let SQLite fail to make it, as where handles or room have run out."""
    index.symlink_to(index.with_name("nowhere") / "index")


def test_a_start_that_cannot_read_a_file_just_now_leaves_it_alone(tmp_path: Path):
    fill(tmp_path, 1, 2)
    block(tmp_path / INDEX)
    with pytest.raises(UnreadableError, match="cannot be read"):
        Journal(tmp_path)
    (tmp_path / INDEX).unlink()
    fill(tmp_path, 3)
    journal = Journal(tmp_path)
    assert drained(journal) == [entry(1), entry(2), entry(3)]
    journal.close()


def test_a_file_that_cannot_be_read_just_now_is_not_taken_for_damaged(tmp_path: Path):
    fill(tmp_path, 1, 2)
    journal = Journal(tmp_path)
    block(tmp_path / INDEX)
    with pytest.raises(UnreadableError, match="cannot be read"):
        journal.claim()
    (tmp_path / INDEX).unlink()
    assert drained(journal) == [entry(1), entry(2)]
    assert journal.backlog().damaged == 0
    journal.close()


def test_a_file_that_cannot_be_deleted_just_now_is_deleted_later(tmp_path: Path):
    limits = Limits(segment_bytes=1000, batch_spans=20)
    fill(tmp_path, *range(1, 31), limits=limits)
    journal = Journal(tmp_path, limits)
    batch = journal.claim()
    assert batch
    (tmp_path / INDEX).mkdir()
    with pytest.raises(OSError, match=INDEX):
        journal.settle(batch)
    (tmp_path / INDEX).rmdir()
    assert drained(journal) == [entry(number) for number in range(21, 31)]
    assert len(list(tmp_path.glob("*.journal*"))) == 1
    journal.close()


def test_a_sender_that_gives_up_waiting_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its task is cancelled when the receiver stops, and with it the promise it waited for."""
    append, is_free = Writer.append, threading.Event()

    def wait_and_append(*arguments: Any) -> None:
        assert is_free.wait(30)
        append(*arguments)

    monkeypatch.setattr(Writer, "append", wait_and_append)
    journal = Journal(tmp_path)
    journal.append(entry(1)).cancel()
    is_free.set()
    journal.append(entry(2)).result(30)
    assert drained(journal) == [entry(1), entry(2)]
    journal.close()


def test_an_entry_that_cannot_be_written_at_all_stops_no_other(tmp_path: Path):
    journal = Journal(tmp_path)
    with pytest.raises(JournalError, match="surrogates not allowed"):
        journal.append(replace(entry(1), tenant="\udcff")).result(30)
    journal.append(entry(2)).result(30)
    assert drained(journal) == [entry(2)]
    journal.close()


def test_a_closed_journal_leaves_the_progress_of_its_successor_alone(tmp_path: Path):
    """An insert that outlasts the grace of a stopping collector comes to its end when another may have begun."""
    fill(tmp_path, 1)
    first = Journal(tmp_path)
    late = first.claim()
    assert late
    first.close()
    second = Journal(tmp_path)
    second.append(entry(2)).result()
    drained(second)
    with pytest.raises(JournalError, match="closed"):
        first.settle(late)
    second.close()
    third = Journal(tmp_path)
    assert drained(third) == []
    third.close()


SMALL = Limits(segment_bytes=2500, batch_spans=4)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal of eight entries in three files, none settled."""
    directory = tmp_path_factory.mktemp("full")
    fill(directory, *range(1, 9), size=1000, limits=SMALL)
    return directory


@pytest.mark.fault("damaged journal")
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_loses_only_what_it_touches(full: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    """Any byte of any file may change: what is whole still comes out, in order, and the rest is counted."""
    directory = shutil.copytree(full, tmp_path_factory.mktemp("damaged"), dirs_exist_ok=True)
    files = sorted(path for path in directory.iterdir() if path.stat().st_size and path.name != "lock")
    damaged = data.draw(st.sampled_from(files))
    content = bytearray(damaged.read_bytes())
    length = data.draw(st.sampled_from([1, 16, 4096]))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + length] = data.draw(st.binary(min_size=length, max_size=length))
    damaged.write_bytes(content)
    journal = Journal(directory, SMALL)
    survivors = drained(journal)
    lost = journal.backlog().damaged
    journal.close()
    known = {number: entry(number, 1000) for number in range(1, 9)}
    numbers = [each.received for each in survivors]
    assert survivors == [known[number] for number in numbers]
    assert numbers == sorted(set(numbers))
    assert lost <= 8 - len(numbers) <= 3


@pytest.mark.fault("truncated journal")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_file_that_was_cut_loses_only_what_was_cut_off(
    full: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
):
    """Any file may have lost its end: what is whole still comes out, in order, and new entries go on after it."""
    directory = shutil.copytree(full, tmp_path_factory.mktemp("cut"), dirs_exist_ok=True)
    files = sorted(path for path in directory.iterdir() if path.stat().st_size and path.name != "lock")
    cut = data.draw(st.sampled_from(files))
    with cut.open("r+b") as opened:
        opened.truncate(data.draw(st.integers(0, cut.stat().st_size - 1)))
    journal = Journal(directory, SMALL)
    journal.append(entry(9, 1000)).result()
    survivors = drained(journal)
    journal.close()
    numbers = [each.received for each in survivors]
    assert survivors == [entry(number, 1000) for number in numbers]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 9
    assert len(numbers) >= 6


@pytest.mark.fault("old journal")
def test_nothing_in_the_journal_is_too_old(tmp_path: Path):
    """What was accepted waits for as long as it takes; its age is told."""
    year = 365 * 24 * 3600
    old = replace(entry(1), received=time.time_ns() - year * 10**9)
    journal = Journal(tmp_path)
    journal.append(old).result()
    assert journal.backlog().age >= year
    assert drained(journal) == [old]
    assert journal.backlog().age == 0
    journal.close()
