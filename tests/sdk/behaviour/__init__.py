"""Scenarios of an application, played against a provider on loopback through every client."""
