"""tokentrace: what an AI request really costs.

    import tokentrace

    tokentrace.instrument()

meters every call that the process makes to a language model, and sends it as OpenTelemetry spans to a collector.
"""

import typing as _typing
from importlib import import_module as _import_module

from tokentrace.attribution import tags
from tokentrace.config import Config
from tokentrace.session import flush, instrument, uninstrument
from tokentrace.steps import step

if _typing.TYPE_CHECKING:
    from tokentrace.checkup import doctor
    from tokentrace.normalise import read_usage
    from tokentrace.reviews import review
    from tokentrace.usage import Usage

__all__ = ["Config", "Usage", "doctor", "flush", "instrument", "read_usage", "review", "step", "tags", "uninstrument"]

_LATER = {"Usage": "usage", "doctor": "checkup", "read_usage": "normalise", "review": "reviews"}
"""What not every application needs, by the module that has it: loaded when it is asked for."""


def __getattr__(name: str) -> _typing.Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_import_module(f"{__name__}.{_LATER[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
