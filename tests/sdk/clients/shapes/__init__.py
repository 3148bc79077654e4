"""Every shape that a call of a client library can take, as data."""
