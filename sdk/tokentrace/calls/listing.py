"""Calls that read a list of what others have answered: every answer is a span of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tokentrace import context
from tokentrace.calls.meter import Meter
from tokentrace.integration import Request
from tokentrace.tracing import Tracing
from tokentrace.usage.buckets import Usage
from tokentrace.usage.reading import Reading


class Lister(Meter):
    """Meters the call that reads; it is free, and the answers bear what they cost."""

    __slots__ = ("_answer",)

    def __init__(self, request: Request, tracing: Tracing, hosts: Mapping[str, str]) -> None:
        super().__init__(request, tracing, hosts)
        self._answer = request._replace(scope="retrieve", stream=False, http=None)
        self.scope = "aggregate"
        self.format = replace(request.format, read=self._note, count=_nothing)

    def _note(self, part: Any, _seen: Reading) -> None:
        for answer in self._answer.format.answers(part):
            self._tell(answer)

    def _tell(self, part: Any) -> None:
        told = Reading()
        self._answer.format.read(part, told)
        if not told.complete or (told.error and not told.usage):
            # It was never made, or has failed: free.
            return
        # A library that hands everything back at once is still inside of its call.
        is_inside = context.metering.get() is self
        if not is_inside:
            self.enter()
        try:
            answer = Meter(self._answer, self.tracing, self.hosts)
        finally:
            if not is_inside:
                self.leave()
        answer.part(part)
        answer.end(None)


def _nothing(_seen: Reading, _provider: str, _context: Mapping[str, Any]) -> Usage:
    return Usage(flags={"billable": False})
