"""From the journal into the database, each request exactly once."""
