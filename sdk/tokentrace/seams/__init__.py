"""Where libraries are cut into: found, fitted, wrapped, and left as they were."""
