"""Questions to the tables, and their answers as JSON documents."""
