"""What the outputs, targets and indices of a sensitivity study are called wherever people read them."""

from school_mentoring.analysis.outcomes import COMPARATOR, Outcome, design_name, outcome

DECISION = "best_design"
"""Whether a design has the highest net benefit; of no design: which one has it."""

RANKED = {"sobol": "ST", "morris": "mu_star", "pawn": "pawn", "given": "first", "regional": "ks"}
"""The index that ranks parameters, by method."""

INDEX_NAMES = {
    "S1": "first-order index", "ST": "total-order index", "S2": "second-order index", "mu_star": "mu*", "sigma": "sigma", "mu": "mu",
    "pawn": "PAWN index", "first": "first-order index (binned)", "ks": "Kolmogorov-Smirnov distance", "shift": "shift of ranks",
}  # fmt: skip

DERIVED = {
    "net_benefit": Outcome("net monetary benefit", "EUR", "higher", 0),
    "cost_per_adopter_year": Outcome("cost per added adopter-year", "EUR per adopter-year", "lower", 0),
    DECISION: Outcome("best design by net benefit", "share of parameter sets", "higher", 2),
}


def output_of(name: str) -> Outcome:
    """Return what is known of an output of a sensitivity study."""
    return DERIVED[name] if name in DERIVED else outcome(name)


def target_name(output: str, design: str, comparator: str) -> str:
    """Return what a target is called: 'adopter-years with virtual less no programme'."""
    if output == DECISION:
        return f"{design_name(design)} being the best design" if design else "the choice of the best design"
    label = output_of(output).label
    if output in DERIVED and comparator == COMPARATOR:
        return f"{label} with {design_name(design)}"
    return f"{label} with {design_name(design)}" + (f" less {design_name(comparator)}" if comparator else "")


def panel_name(design: str, comparator: str) -> str:
    """Return the heading of a panel or column: a design, or a design less another than the comparator of all."""
    if not design:
        return "the choice as a whole"
    return design_name(design) + (f"\nless {design_name(comparator)}" if comparator not in ("", COMPARATOR) else "")
