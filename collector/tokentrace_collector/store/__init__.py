"""The database: where it is, its tables, and the one module that talks to it."""
