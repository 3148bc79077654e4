"""What a unit costs: catalogue, price book, and which price a call has."""
