"""What a stream of Bedrock that was left may cost at most: the provider goes on to its end and bills it."""

from __future__ import annotations

import pytest

pytest.importorskip("boto3")

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quickstarts.boto3 import EVENTS, ask, client
from quickstarts.loopback import http
from shapes.eventstream import frames
from shapes.provider import Provider

import tokentrace


@pytest.fixture
def told(monkeypatch):
    """What is delivered of the risk in a stream of which the application reads so many parts."""
    monkeypatch.setenv("TOKENTRACE_STRICT", "1")

    def tell(parts: int, **changed: object) -> dict[str, object]:
        exporter = InMemorySpanExporter()
        with http(Provider((frames(EVENTS),))) as url:
            bedrock = client(url)
            tokentrace.instrument(exporter=exporter)
            try:
                stream = bedrock.converse_stream(**ask() | changed)["stream"]
                for _, _part in zip(range(parts), stream, strict=False):
                    pass
                stream.close()
                bedrock.close()
                assert tokentrace.flush(10)
            finally:
                tokentrace.uninstrument()
        (span,) = exporter.get_finished_spans()
        said = dict(span.attributes or {})
        keys = ("tokentrace.billing.risk", "tokentrace.billing.output_limit", "tokentrace.usage.flags")
        return {key: said[key] for key in keys if key in said}

    return tell


def test_a_stream_that_was_left_may_be_billed_up_to_its_limit(told):
    assert told(2) == {
        "tokentrace.billing.risk": "full_generation",
        "tokentrace.billing.output_limit": 512,
        "tokentrace.usage.flags": ("output_lower_bound", "provider_may_bill_more"),
    }


def test_without_a_limit_the_risk_has_none(told):
    assert told(2, inferenceConfig={"temperature": 0.5}) == {
        "tokentrace.billing.risk": "full_generation",
        "tokentrace.usage.flags": ("output_lower_bound", "provider_may_bill_more"),
    }


def test_a_stream_that_was_read_to_its_end_has_no_risk(told):
    assert told(99) == {}
