"""Providers and programs on the other end that do not speak HTTP."""
