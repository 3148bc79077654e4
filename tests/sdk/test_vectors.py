"""The conformance vectors: what each provider reports, and the disjoint buckets that it means."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tokentrace.attributes import BUCKETS, METERS
from tokentrace.normalise import read_usage

FILE = (Path(__file__).parent / "vectors.json").read_text()
# Reported usage is JSON as a provider sends it; an expected amount of money is exact.
VECTORS = [
    pytest.param(sent, expected["expected"], id=sent["id"])
    for sent, expected in zip(json.loads(FILE), json.loads(FILE, parse_float=Decimal), strict=True)
]


@pytest.mark.parametrize(("vector", "expected"), VECTORS)
def test_a_reported_usage_means_exactly_these_buckets(vector, expected):
    usage = read_usage(
        vector["raw_usage"], provider=vector["provider"], api=vector["api"], context=vector.get("context")
    )
    assert {"meters": {}, "flags": {}, "sub": [], **expected} == {
        "buckets": usage.buckets,
        "meters": usage.meters,
        "flags": usage.flags,
        "sub": list(usage.sub),
    }


@pytest.mark.parametrize(("vector", "expected"), VECTORS)
def test_every_name_of_a_vector_is_in_the_registry(vector, expected):
    parts = [expected, *expected.get("sub", ())]
    named = {name for part in parts for name in (*part["buckets"], *part.get("meters", ()))}
    assert named <= {*BUCKETS, *METERS}
