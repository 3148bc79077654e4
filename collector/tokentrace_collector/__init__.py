"""The tokentrace collector: receives OTLP, keeps it, and rolls it up into what each request really cost."""
