"""Frameworks over a scripted provider: what they do, and what their spans must say."""
