import gzip
import time

import pytest

from tokentrace_collector.otlp import compression


@pytest.mark.fault("decompression bomb")
def test_a_body_of_very_many_streams_is_read_in_time():
    """What followed a stream was copied for each: these megabytes took a minute, and the largest body hours."""
    empty = gzip.compress(b"")
    began = time.process_time()
    assert compression.inflated(empty * 150_000 + gzip.compress(b"end"), "gzip", most=3) == b"end"
    assert time.process_time() - began < 10
