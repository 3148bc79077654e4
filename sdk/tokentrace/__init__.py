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
    from tokentrace.request.propagation import carry, incoming, outgoing
    from tokentrace.request.reporting import accept_partial, outcome, reject
    from tokentrace.request.reviews import record_review, review
    from tokentrace.request.steps import agent, step, tool, trace_id, workflow
    from tokentrace.request.tagging import tags
    from tokentrace.usage.buckets import Usage

__all__ = [
    "Config",
    "Usage",
    "accept_partial",
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
    "Usage": "usage.buckets",
    "accept_partial": "request.reporting",
    "agent": "request.steps",
    "carry": "request.propagation",
    "doctor": "checkup",
    "incoming": "request.propagation",
    "outcome": "request.reporting",
    "outgoing": "request.propagation",
    "read_usage": "normalise",
    "record_review": "request.reviews",
    "reject": "request.reporting",
    "review": "request.reviews",
    "step": "request.steps",
    "tags": "request.tagging",
    "tool": "request.steps",
    "trace_id": "request.steps",
    "workflow": "request.steps",
}
"""What not every application needs, by the module that has it: loaded when it is asked for."""


def __getattr__(name: str) -> _typing.Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
