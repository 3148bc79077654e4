"""Batches on disk: bounded, private, and each in the hands of one living process."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys

import pytest

from tokentrace.delivery import framing
from tokentrace.delivery.counts import Counts
from tokentrace.delivery.spool import Spool

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture
def opened(tmp_path):
    """Makes spools; in one process they are as strange to each other as in several."""
    made = []

    def opened(identity="one", size=1 << 20):
        made.append(Spool(tmp_path / "spool", identity, size, Counts()))
        return made[-1]

    yield opened
    for spool in made:
        spool.close()


def drain(spool):
    """What is in it, oldest first, taken out."""
    found = []
    while batch := spool.oldest():
        found.append(batch[1])
        spool.done(batch[0])
    return found


def files(spool):
    return sorted(path for path in spool.root.rglob("*") if path.is_file())


def test_batches_come_back_in_their_order_and_leave_no_file(opened):
    spool = opened()
    for number in range(5):
        spool.append(b"%d" % number, spans=2)
    assert (spool.own, spool.counts.spooled) == (10, 10)
    assert drain(spool) == [b"0", b"1", b"2", b"3", b"4"]
    spool.close()
    assert (spool.own, files(spool)) == (0, [])


def test_what_one_leaves_the_next_takes_over(opened):
    first, second = opened(), opened()
    first.append(b"a", 1)
    first.append(b"b", 1)
    first.done(first.oldest()[0])
    first.close()
    second.adopt()
    assert (second.own, drain(second)) == (0, [b"b"])
    second.close()
    assert files(second) == []


def test_nobody_takes_from_the_living(opened):
    first, second = opened(), opened()
    first.append(b"a", 1)
    second.adopt()
    assert (second.oldest(), drain(first)) == (None, [b"a"])


def test_what_several_have_left_comes_in_the_order_it_was_written(opened):
    a, b = opened(), opened()
    a.append(b"first", 1)
    b.append(b"second", 1)
    b.close()
    a.close()
    c = opened()
    c.append(b"third", 1)
    c.adopt()
    assert drain(c) == [b"first", b"second", b"third"]


def test_what_is_for_another_endpoint_stays_where_it_is(opened):
    theirs, ours = opened("theirs"), opened("ours")
    theirs.append(b"secret", 1)
    theirs.close()
    ours.adopt()
    assert ours.oldest() is None
    again = opened("theirs")
    again.adopt()
    assert drain(again) == [b"secret"]


def test_a_full_spool_loses_its_oldest_and_counts_them(opened):
    spool = opened(size=100_000)
    batches = [os.urandom(1000) for _ in range(200)]
    for batch in batches:
        spool.append(batch, spans=3)
        assert sum(path.stat().st_size for path in files(spool)) <= 100_000
    left = drain(spool)
    # A file goes as a whole: at least a sixteenth short of the size is used.
    assert 85 <= len(left) <= 98
    assert left == batches[-len(left) :]
    assert (spool.counts.displaced, spool.own) == (3 * (200 - len(left)), 0)


def test_all_who_share_a_directory_share_its_size(opened):
    first, second = opened("first", 100_000), opened("second", 100_000)
    for _ in range(80):
        first.append(os.urandom(1000), 1)
    for _ in range(80):
        second.append(os.urandom(1000), 1)
    assert sum(path.stat().st_size for path in files(first)) <= 100_000
    left = len(drain(first)), len(drain(second))
    # The older go first, whoever they belong to.
    assert (left[0] < 30, left[1]) == (True, 80)
    assert second.counts.displaced == 80 - left[0]


def test_a_batch_larger_than_all_is_refused(opened):
    with pytest.raises(OSError, match="more than the spool may hold"):
        opened(size=1000).append(os.urandom(2000), 1)


def test_a_file_that_was_cut_gives_what_is_whole(opened):
    spool = opened()
    for payload in (b"a", b"b", b"c"):
        spool.append(payload, 5)
    spool.close()
    (written,) = (path for path in files(spool) if path.suffix == ".open")
    os.truncate(written, written.stat().st_size - 1)
    later = opened()
    later.adopt()
    assert (drain(later), later.counts.unreadable) == ([b"a", b"b"], 5)


def test_a_file_of_rubbish_is_removed_and_counted(opened):
    spool = opened()
    spool.append(b"a", 5)
    spool.close()
    (written,) = (path for path in files(spool) if path.suffix == ".open")
    written.write_bytes(b"rubbish")
    later = opened()
    later.adopt()
    assert (drain(later), later.counts.unreadable) == ([], 1)
    later.close()
    assert files(later) == []


def test_a_batch_that_goes_bad_while_it_waits_is_never_given_out(opened):
    spool = opened()
    spool.append(b"a" * 100, 7)
    spool.append(b"b" * 100, 7)
    (written,) = (path for path in files(spool) if path.suffix == ".open")
    content = bytearray(written.read_bytes())
    content[framing.HEADER + 5] ^= 0xFF
    written.write_bytes(content)
    assert (drain(spool), spool.counts.unreadable) == ([b"b" * 100], 7)


def test_how_often_a_batch_was_refused_outlives_the_process(opened):
    first, second = opened(), opened()
    first.append(b"a", 1)
    first.refuse(first.oldest()[0])
    first.close()
    second.adopt()
    assert second.refuse(second.oldest()[0]) == 2


def test_the_second_batch_can_be_asked_for_around_the_end(opened):
    spool = opened()
    for payload in (b"a", b"b", b"c"):
        spool.append(payload, 1)
    assert [spool.oldest(skip)[1] for skip in range(5)] == [b"a", b"b", b"c", b"a", b"b"]


def test_losses_that_were_noted_are_told_by_the_next(opened, tmp_path):
    first = opened()
    first.append(b"a", 1)
    first.note(3)
    first.note(42)
    first.abandon()
    second = opened()
    second.adopt()
    assert second.counts.earlier == 42
    third = opened()
    third.adopt()
    assert third.counts.earlier == 0


def test_losses_of_a_process_that_ends_well_are_told_by_itself(opened):
    first, second = opened(), opened()
    first.note(42)
    first.close()
    second.adopt()
    assert (second.counts.earlier, files(second)) == (0, [])


def test_a_closed_spool_takes_nothing(opened):
    spool = opened()
    spool.close()
    with pytest.raises(OSError, match="closed"):
        spool.append(b"a", 1)


@posix
def test_nobody_else_can_look_inside(opened):
    before = os.umask(0)
    try:
        spool = opened()
        spool.append(b"a", 1)
        spool.note(1)
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in files(spool)}
    assert (modes, stat.S_IMODE(spool.home.stat().st_mode), stat.S_IMODE(spool.root.stat().st_mode)) == (
        {0o600}, 0o700, 0o700,
    )  # fmt: skip


@posix
def test_a_directory_that_others_can_write_is_not_trusted(opened):
    spool = opened()
    spool.home.mkdir(parents=True)
    spool.home.chmod(0o777)
    with pytest.raises(OSError, match="can be written by others"):
        spool.append(b"a", 1)
    with pytest.raises(OSError, match="can be written by others"):
        spool.adopt()


@posix
def test_a_link_in_place_of_the_directory_is_not_followed(opened, tmp_path):
    spool = opened()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    spool.root.mkdir()
    spool.home.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="not a directory"):
        spool.append(b"a", 1)


@posix
def test_a_disk_that_is_full_in_the_middle_of_a_batch_keeps_the_others(tmp_path):
    """RLIMIT_FSIZE makes a write stop short, as a full disk does."""
    code = """
        import resource, signal, sys
        from pathlib import Path
        from tokentrace.delivery.counts import Counts
        from tokentrace.delivery.spool import Spool
        import os
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        spool = Spool(Path(sys.argv[1]), "one", 1 << 20, Counts())
        spool.append(b"before", 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
        try:
            spool.append(os.urandom(1000), 1)
        except OSError as error:
            print(error.errno)
        spool.append(b"after", 1)
        print(spool.oldest(0)[1], spool.oldest(1)[1], spool.own, spool.counts.unreadable)
    """
    import textwrap

    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.split("\n")[:2] == [str(errno.EFBIG), "b'before' b'after' 2 0"]


@posix
def test_a_child_does_not_make_a_dead_parent_seem_alive(opened, tmp_path):
    """The child of a fork shares what the parent has opened, the lock too."""
    code = """
        import os, sys
        from pathlib import Path
        from tokentrace.delivery.counts import Counts
        from tokentrace.delivery.spool import Spool
        spool = Spool(Path(sys.argv[1]), "one", 1 << 20, Counts())
        spool.append(b"parent", 1)
        ready, told = os.pipe()
        if os.fork() == 0:
            spool.abandon()
            os.write(told, b"!")
            sys.stdin.read()
            os._exit(0)
        os.read(ready, 1)
        os._exit(0)
    """
    import textwrap

    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "spool")], stdin=subprocess.PIPE
    ) as parent:
        assert parent.wait() == 0
        spool = opened()
        spool.adopt()
        assert drain(spool) == [b"parent"]
        parent.stdin.close()
