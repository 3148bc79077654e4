"""What spans that carry their prompts and answers cost, stored as they are, without those, and with patterns taken out.

    python tests/bench/content.py

Requests of 100 spans with 6 KB of messages each. Their own, slower way: compare figures within one run only.
"""

from __future__ import annotations

import json
import random
from functools import partial

from ingest import NOW, cost, report, requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tokentrace_collector.otlp import cleaned, decode, privacy
from tokentrace_collector.otlp.privacy import Privacy

WORDS = (
    "the",
    "sky",
    "is",
    "blue",
    "because",
    "light",
    "that",
    "comes",
    "through",
    "air",
    "scatters",
    "ann@example.com",
)
PATTERNS = privacy.parse(
    r"""
version: 1
patterns:
  - {name: e-mail, pattern: '[\w.+-]+@[\w-]+\.[\w.]+'}
  - {name: key, pattern: 'sk-[A-Za-z0-9]{20,}'}
"""
)


def _with_messages(body: bytes, dice: random.Random) -> bytes:
    request = ExportTraceServiceRequest.FromString(body)
    for span in request.resource_spans[0].scope_spans[0].spans:
        for key, size in (("gen_ai.input.messages", 700), ("gen_ai.output.messages", 300)):
            text = " ".join(dice.choices(WORDS, k=size))
            told = json.dumps([{"role": "user", "parts": [{"type": "text", "content": text}]}])
            span.attributes.add(key=key).value.string_value = told
    return request.SerializeToString()


def _cleaned(bodies: list[bytes], wanted: Privacy) -> None:
    for body in bodies:
        cleaned.spans(body, wanted, is_json=False, now=NOW, flatten=False)


def main() -> None:
    """Print the table."""
    dice = random.Random(2)
    bodies = [_with_messages(body, dice) for body in requests()]
    report("content: judge, and store as it is", cost(lambda: [decode.accept(body, now=NOW) for body in bodies]))
    for name, wanted in (
        ("content: drop it", Privacy(drops_content=True)),
        ("content: take out what two patterns find", Privacy(patterns=PATTERNS)),
    ):
        report(name, cost(partial(_cleaned, bodies, wanted)))


if __name__ == "__main__":
    main()
