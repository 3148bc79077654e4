"""What could keep the figures of a process from being right; loaded when somebody asks."""
