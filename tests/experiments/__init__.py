"""Tests of sweeps: what is varied, how sets are drawn, what is computed, kept and read."""
