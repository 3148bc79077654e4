"""tokentrace: what an AI request really costs."""
