"""The demo: an agent with real vendor clients against a loopback provider, and what its request cost."""
