"""What nobody reports, estimated, and what an input was made of."""
