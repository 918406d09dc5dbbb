"""Prices of other years, currencies and countries, and what documented programmes cost."""
