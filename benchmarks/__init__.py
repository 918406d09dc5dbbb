"""Benchmarks: how fast the compiled engine is, against C, peers and the hardware; ``python -m benchmarks.run``."""
