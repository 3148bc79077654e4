"""What happens to applications, one module per kind; `all` has the list."""
