"""How spans reach the collector: queued, sent, kept on disk while they cannot be, counted."""
