"""How many tokens a picture takes by its width and height, as providers publish it. For the delivery thread alone."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from math import ceil
from typing import TypeAlias

_HEAD = 128 * 1024
"""Bytes in which a picture says how large it is: before that, a JPEG may have a small picture of itself."""

Size: TypeAlias = tuple[int, int]
Range: TypeAlias = tuple[float, float]


def tokens(source: str | bytes, detail: str | None, model: str) -> Range | None:
    """The least and the most that a picture takes; None where nothing tells."""
    rule = next((rule for pattern, rule in _RULES if re.search(pattern, model.lower())), None)
    if rule is None:
        return None
    found = size(source)
    return None if found is None and detail != "low" else rule(found or (1, 1), detail)


def size(source: str | bytes) -> Size | None:
    """Width and height of a PNG, a GIF, a WebP or a JPEG, given as bytes, as base64 or as a URL of either."""
    head = _head(source)
    if head[:8] == b"\x89PNG\r\n\x1a\n":
        found = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    elif head[:4] == b"GIF8":
        found = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = _of_webp(head)
    else:
        found = _of_jpeg(head)
    return found if min(found) > 0 else None


def _head(source: str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_HEAD]
    begin = source.find(",", 0, 256) + 1 if source.startswith("data:") else 0
    text = source[begin : begin + _HEAD * 4 // 3 // 4 * 4].rstrip("=")
    try:
        return base64.b64decode(text[: len(text) // 4 * 4])
    except (binascii.Error, ValueError):
        return b""


def _of_webp(head: bytes) -> Size:
    kind = head[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _of_jpeg(head: bytes) -> Size:
    place = 2 if head[:2] == b"\xff\xd8" else len(head)
    while place + 9 <= len(head) and head[place] == 0xFF:  # noqa: PLR2004
        if head[place + 1] in _FRAMES:
            height, width = head[place + 5 : place + 7], head[place + 7 : place + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        place += 2 + int.from_bytes(head[place + 2 : place + 4], "big")
    return 0, 0


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG that its height and width come after."""


def _tiled(base: int, of_tile: int) -> Callable[[Size, str | None], Range]:
    """Fits in 2048 pixels, its short side in 768; then squares of 512 are counted."""

    def count(of: Size, detail: str | None) -> Range:
        scale = min(1.0, 2048 / max(of))
        scale = min(scale, 768 / min(of))
        tiles = ceil(round(of[0] * scale) / 512) * ceil(round(of[1] * scale) / 512)
        whole = base + of_tile * tiles
        return (base, base) if detail == "low" else (whole if detail == "high" else base, whole)

    return count


def _patched(pixels: int, factor: float, least: int, most: int) -> Callable[[Size, str | None], Range]:
    """Squares are counted; of a picture that is larger than `least` of them, it is told how large it stays at most."""

    def count(of: Size, detail: str | None) -> Range:
        if detail == "low" and of == (1, 1):
            return factor, factor * least
        patches = ceil(of[0] / pixels) * ceil(of[1] / pixels)
        return factor * min(patches, least), factor * min(patches, most)

    return count


def _gemini(of: Size, _detail: str | None) -> Range:
    """One tile where it is small, else as many as a square of two thirds of its short side, or of 768, takes."""
    if max(of) <= 384:  # noqa: PLR2004
        return 258, 258
    side = min(768, max(256, min(of) // 1.5))
    return 258, 258 * ceil(of[0] / side) * ceil(of[1] / side)


_RULES: tuple[tuple[str, Callable[[Size, str | None], Range]], ...] = (
    (r"gpt-4o-mini", _tiled(2833, 5667)),
    (r"(?:gpt-4\.1|gpt-5)-mini", _patched(32, 1.62, 1400, 1536)),
    (r"(?:gpt-4\.1|gpt-5)-nano", _patched(32, 2.46, 1400, 1536)),
    (r"\bo4-mini", _patched(32, 1.72, 1400, 1536)),
    (r"gpt-4", _tiled(85, 170)),
    (r"\bo[13]\b(?!-mini)", _tiled(75, 150)),
    (r"gpt-5(?!\.[2-9])", _tiled(70, 140)),
    (r"gpt-[5-9]", _patched(32, 1.2, 1400, 10_000)),
    (r"claude-(?:opus|sonnet|haiku|fable)-(?:[5-9]|4[-.][7-9])", _patched(28, 1, 1450, 4_800)),
    (r"claude", _patched(28, 1, 1450, 1_620)),
    (r"gemini-(?:1|2)", _gemini),
)
"""By model."""
