"""Tests of what builds a world: countries, own and generated schools, their ties, and the tables they are read from."""
