"""One module per client library; `all` has the list."""
