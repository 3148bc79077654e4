"""What other instrumentations record of the scenarios, each alone, beside what we do: `results.json` keeps it."""
