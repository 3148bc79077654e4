"""What other instrumentations record of the runs of frameworks, each alone, beside what we do: `results.json` keeps it."""
