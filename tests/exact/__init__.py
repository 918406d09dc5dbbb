"""Comparisons with exact solutions."""
