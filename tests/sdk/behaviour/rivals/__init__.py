"""Other instrumentations of the same clients, in the same process: `known` has the list."""
