"""Frameworks for agents: where they begin what step of a request."""
