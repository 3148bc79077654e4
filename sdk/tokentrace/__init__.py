"""tokentrace: what an AI request really costs.

    import tokentrace

    tokentrace.instrument()

meters every call that the process makes to a language model, and sends it as OpenTelemetry spans to a collector.
"""

import typing as _typing
from importlib import import_module as _import_module

from tokentrace.config import Config
from tokentrace.session import flush, instrument, uninstrument

if _typing.TYPE_CHECKING:
    from tokentrace.checkup import doctor
    from tokentrace.normalise import read_usage
    from tokentrace.propagation import carry, incoming, outgoing
    from tokentrace.reporting import outcome, reject
    from tokentrace.reviews import record_review, review
    from tokentrace.steps import agent, step, tool, trace_id, workflow
    from tokentrace.tagging import tags
    from tokentrace.usage import Usage

__all__ = [
    "Config",
    "Usage",
    "agent",
    "carry",
    "doctor",
    "flush",
    "incoming",
    "instrument",
    "outcome",
    "outgoing",
    "read_usage",
    "record_review",
    "reject",
    "review",
    "step",
    "tags",
    "tool",
    "trace_id",
    "uninstrument",
    "workflow",
]

_LATER = {
    "Usage": "usage",
    "agent": "steps",
    "carry": "propagation",
    "doctor": "checkup",
    "incoming": "propagation",
    "outcome": "reporting",
    "outgoing": "propagation",
    "read_usage": "normalise",
    "record_review": "reviews",
    "reject": "reporting",
    "review": "reviews",
    "step": "steps",
    "tags": "tagging",
    "tool": "steps",
    "trace_id": "steps",
    "workflow": "steps",
}
"""What not every application needs, by the module that has it: loaded when it is asked for."""


def __getattr__(name: str) -> _typing.Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
