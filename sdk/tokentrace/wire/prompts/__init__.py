"""What the requests of a wire format are made of: pure functions, which only read."""
