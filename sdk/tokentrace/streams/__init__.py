"""Answers as they come: read along in passing, handed on unchanged."""
