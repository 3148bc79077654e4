"""The wrappers that functions of frameworks get: each invocation is a section of the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tokentrace.integration import Call, StepSeam
from tokentrace.request.running import as_section
from tokentrace.request.section import Section, begin


def follow(seam: StepSeam) -> Callable[[Any, Any, Any, Any], Any]:
    """The wrapper that tells what a function does."""

    def begun(call: Call) -> Section | None:
        if (work := seam.tell(call)) is None:
            return None
        section = begin(work.name, work.kind, role=work.role, attributes=work.attributes)
        if section is not None:
            section.signals = seam.signals
        return section

    return as_section(begun)
