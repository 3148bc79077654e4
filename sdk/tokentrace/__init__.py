"""tokentrace: what an AI request really costs.

    import tokentrace

    tokentrace.instrument()

meters every call that the process makes to a language model, and sends it as OpenTelemetry spans to a collector.
"""

from tokentrace.checkup import doctor
from tokentrace.config import Config
from tokentrace.normalise import read_usage
from tokentrace.propagation import carry, incoming, outgoing
from tokentrace.reporting import outcome, reject
from tokentrace.reviews import record_review, review
from tokentrace.session import flush, instrument, uninstrument
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
