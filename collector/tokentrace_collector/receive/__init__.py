"""OTLP, received: over HTTP and over gRPC."""
