"""Libraries that trace themselves, and other instrumentations, as the collector sees them beside us: `all` has the list."""
