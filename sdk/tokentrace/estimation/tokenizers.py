"""Counts tokens of texts, where nobody reports them. For the delivery thread alone: it reads files and takes its time.

Rank files are found, never fetched: `tiktoken.get_encoding` would ask the network for them, without a timeout and
under a lock that every thread of the application may wait for.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tokentrace.guard import log

DIRECTORY = "TOKENTRACE_TIKTOKEN_DIR"
"""The variable that names the directory of rank files; set to nothing it says that none are to be used."""

_URL = "https://openaipublic.blob.core.windows.net/encodings/{name}.tiktoken"
"""What tiktoken names its cached files after."""


class RankFile(NamedTuple):
    """The ranks of an encoding, as OpenAI publishes them."""

    sha256: str
    pattern: str
    """How a text is split before it is encoded."""


RANK_FILES: Mapping[str, RankFile] = {
    "o200k_base": RankFile(
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
    "cl100k_base": RankFile(
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s",
    ),
}
"""By encoding. Other models' tokenizers are not published; their counts are near, by factors that were measured."""

LONGEST = 256 * 1024
"""Characters of one text that are encoded; the rest is taken to be like them."""


class Tokenizer(NamedTuple):
    """A way to count."""

    method: str
    """The encoding, or `heuristic`."""

    tokens: Callable[[str], int]

    error: float
    """How far a count may be off, as a part of it, beyond what is known of the model."""

    slack: float = 0.0
    """The same in tokens, of a count that is small."""


def tokenizer(encoding: str) -> Tokenizer:
    """By the ranks of an encoding where a file of them is on this machine, else by the kinds of characters."""
    own = directory()
    return (None if own is None else _ranked(encoding, own)) or _HEURISTIC


def directory() -> Path | None:
    """Where rank files of ours are: they are fetched to and read from here; None where none are to be used."""
    named = os.environ.get(DIRECTORY)
    if named is not None:
        return Path(named) if named else None
    root = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(root) if root else Path.home() / ".cache") / "tokentrace" / "tiktoken"


def is_intact(encoding: str, content: bytes) -> bool:
    """Whether a file holds exactly the published ranks."""
    return hashlib.sha256(content).hexdigest() == RANK_FILES[encoding].sha256


@cache
def _ranked(encoding: str, own: Path) -> Tokenizer | None:
    for place in _places(encoding, own):
        try:
            content = place.read_bytes()
        except OSError:
            continue
        if is_intact(encoding, content):
            return Tokenizer(encoding, _counter(encoding, content), 0.0)
        log.warning("%s does not hold the published ranks of %s; it is not used.", place, encoding)
    return None


def _places(encoding: str, own: Path) -> Iterator[Path]:
    """Where a file may lie, ours first; nothing is imported to find out."""
    cached = hashlib.sha1(_URL.format(name=encoding).encode(), usedforsecurity=False).hexdigest()
    names = (f"{encoding}.tiktoken", cached)
    yield from (own / name for name in names)
    told = [os.environ.get(name) for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR")]
    caches = [Path(each) for each in told if each] + [Path(tempfile.gettempdir()) / "data-gym-cache"]
    for package, inside in (
        ("litellm", "litellm_core_utils/tokenizers"),
        ("llama_index", "core/_static/tiktoken_cache"),
    ):
        caches += [Path(root) / inside for root in _roots(package)]
    yield from (each / name for each in caches for name in names)


def _roots(package: str) -> list[str]:
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    return list(found.submodule_search_locations or ()) if found is not None else []


def _counter(encoding: str, content: bytes) -> Callable[[str], int]:
    # Costs 30 ms, and is needed only where somebody has to count.
    import tiktoken  # noqa: PLC0415

    pattern = RANK_FILES[encoding].pattern
    ranked = tiktoken.Encoding(encoding, pat_str=pattern, mergeable_ranks=ranks(content), special_tokens={})
    encode = ranked.encode_ordinary
    return lambda text: _extended(text, lambda part: len(encode(part)))


def ranks(content: bytes) -> dict[bytes, int]:
    """The ranks that a file holds, by token."""
    found: dict[bytes, int] = {}
    # Line by line: the application's threads run in between.
    for line in io.BytesIO(content):
        token, _, rank = line.partition(b" ")
        found[base64.b64decode(token)] = int(rank)
    return found


def _extended(text: str, count: Callable[[str], int]) -> int:
    """The count of a text, by its beginning where it is too long to look at all of it."""
    if len(text) <= LONGEST:
        return count(text)
    return round(count(text[:LONGEST]) * len(text) / LONGEST)


_MARKS = "\u0300-\u036f\u0900-\u0dff\u0e00-\u0eff"
"""What belongs to the letter before it, and is none by itself."""
_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
_PIECES = re.compile(
    rf"(?P<word>[A-Za-z]+(?![^\W\d_]))|(?P<wide>[{_WIDE}]+)|(?P<letters>(?:[^\W\d_{_WIDE}]|[{_MARKS}])+)"
    r"|(?P<digits>[0-9]+)|(?P<lines>\s*\n\s*)|(?P<marks>(?:[^\w\s]|_)+)"
)
_CHARACTERS_OF = {"word": 6.0, "wide": 1.4, "letters": 4.2, "digits": 3.0, "marks": 2.5, "lines": 100.0}
"""Characters of a token by kind of piece, measured against o200k_base; a piece is one token at least."""
_WHOLE = 2
"""So many characters more, and a piece is still one token."""


def _guess(text: str) -> int:
    count = 0.0
    for piece in _PIECES.finditer(text):
        size, of_one = len(piece[0]), _CHARACTERS_OF[str(piece.lastgroup)]
        count += 1.0 if size <= of_one + _WHOLE and of_one > _WHOLE else max(1.0, size / of_one)
    return round(count)


def _guess_extended(text: str) -> int:
    return _extended(text, _guess)


_HEURISTIC = Tokenizer("heuristic", _guess_extended, 0.12, 2.0)
