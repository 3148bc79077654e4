"""Which release this is, and what its spans and metrics are told by."""

VERSION = "0.1.0"
SCOPE = "tokentrace"
