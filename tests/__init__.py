"""Tests of the project; folders mirror the packages, ``exact`` compares with solutions known in closed form."""
