"""What frameworks are asked to do where more than our own instrumentation looks on; their tests have it from here too."""
