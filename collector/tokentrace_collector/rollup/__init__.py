"""Whole traces recomputed into what they cost."""
