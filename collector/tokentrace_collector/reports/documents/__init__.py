"""The JSON documents that the query API serves and the command line reads; money is a decimal string."""
