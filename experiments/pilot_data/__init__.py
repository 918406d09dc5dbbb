"""A pilot's observations: what was seen of schools and when, read from ``observations.csv`` and checked row by row."""
