"""The query API on loopback: the tables' answers as JSON, for the command line and whoever else asks."""
