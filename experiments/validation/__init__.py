"""The validation of the model: patterns of the world, exact limits, two engines, an independent peer, and what hangs on its structure.

Each pattern is a module of ``patterns`` that states its checks; tests assert on the same ones that the report prints.
"""
