"""How providers say what a script tells them to."""
