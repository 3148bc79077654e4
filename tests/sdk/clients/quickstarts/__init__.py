"""What the documentation of each client tells a new user to copy, run against a provider on loopback."""
