"""Tests of the economics: hand-worked tables, published answers, closed forms and what other programs find."""
