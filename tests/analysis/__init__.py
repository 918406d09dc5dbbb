"""Tests of the analysis: hand-worked tables, published answers, and what figures must show."""
