"""One call, one span: opened, fed by what passes, closed exactly once."""
