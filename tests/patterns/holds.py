"""How a pattern is asserted: every reading of a check holds by its rule."""

from experiments.validation.checks import Pattern

__all__ = ["assert_holds"]


def assert_holds(pattern: Pattern, statement: str) -> None:
    """Hold all readings of one of a pattern's checks to their rules, and name those that miss theirs."""
    readings = list(pattern.checks[statement].read())
    assert readings, "the check reads nothing"
    missed = [f"{one.what}: {one.estimate:.4g} +- {one.error:.2g}, must be {one.rule}" for one in readings if not one.holds]
    assert missed == []
