"""One module per client library: where to cut, and which wire format passes there."""
