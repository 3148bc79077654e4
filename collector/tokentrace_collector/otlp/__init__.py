"""OTLP as bytes: unpacked, judged, made readable for the engine."""
