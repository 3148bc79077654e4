"""What became of the spans of this process, and of those that earlier ones have left on disk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Numbers of spans, from the start of the process or of its `instrument` on."""

    accepted: int = 0
    """Ended in this process, and queued."""

    delivered: int = 0
    """Of those that were accepted, the ones that the collector has."""

    dropped: int = 0
    """Of those that were accepted, the ones gone from memory: too many for the queue or for the end, or given up."""

    spooled: int = 0
    """Of those that were accepted, the ones that were put on disk."""

    replayed: int = 0
    """Delivered from the disk, those of earlier processes included."""

    displaced: int = 0
    """Removed from the full disk to make room for younger ones."""

    unreadable: int = 0
    """Found damaged on disk; a stretch that does not even tell how many it held counts as one."""

    refused: int = 0
    """Taken off the disk because the collector refused them several times, and took others in between."""

    earlier: int = 0
    """Losses that earlier processes had noted when they were killed."""

    @property
    def lost(self) -> int:
        """Spans that nobody will ever see, wherever they went."""
        return sum(getattr(self, reason) for reason in LOSSES)


LOSSES = ("dropped", "displaced", "unreadable", "refused", "earlier")
"""The fields that count spans which nobody will ever see."""
