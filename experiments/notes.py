"""What is said of how parameters vary in a study, where that is not as it would be by default."""

from collections.abc import Collection, Sequence

from school_mentoring.model.errors import listed
from school_mentoring.model.world.countries import FIGURES, Country
from school_mentoring.model.world.structure import WORLD_WORDS
from school_mentoring.scenarios import Scenario, anchored, joint_draws, read_draws, stated_instead


def assumed_figures(countries: Sequence[Country]) -> str:
    """Return which figures of which countries nobody found or stated; nothing where there are none."""
    without = {field: [country.code for country in countries if field in country.assumed] for field in FIGURES}
    named = "; ".join(f"{field} of {listed(codes, 8)}" for field, codes in without.items() if codes)
    return f"{named} (usual hours, else means, in their place)" if named else ""


def notes_on_draws(scenario: Scenario, varied: Collection[str] = ()) -> list[str]:
    """Say what of a scenario's parameters is not as it would be by default: fixed, or by which draws the uncertain ones vary together."""
    return [*_anchored_note(scenario, varied), *fixed_note(scenario, varied)]


def _anchored_note(scenario: Scenario, varied: Collection[str]) -> list[str]:
    together = set() if scenario.posterior is not None or scenario.ranges == "independent" else set(joint_draws(scenario))
    if not together or (len(varied) and not together <= set(varied)):
        return []
    draws, fixed = anchored(), scenario.fixed_parameters()
    own = [name for name in stated_instead(scenario) if name not in fixed]
    parameters = (
        "Uncertain parameters and the structure vary together" if together & set(WORLD_WORDS) else "Uncertain parameters vary together"
    )
    said = parameters if together - set(WORLD_WORDS) else "The structure varies"
    notes = [f"{said}, by {len(draws.draws):,} draws that meet what has been measured."]
    if scenario.draws > len(draws.draws):
        notes.append(f"Notice: {scenario.draws:,} parameter sets repeat these draws, which makes nothing surer.")
    if own:
        notes.append(f"As the scenario states itself, not by these draws: {', '.join(own)}.")
    notes += undrawn_note(scenario, varied)
    if not draws.is_of_this_model:
        notes.append(
            "Notice: these draws were made with other rules or numbers than the program has now; run.py anchor --ship makes them anew."
        )
    return notes


def undrawn_note(scenario: Scenario, varied: Collection[str] = ()) -> list[str]:
    """Say which uncertain parameters the anchored draws do not hold: the factors of countries that the pilot did not have."""
    alone = [name for name in scenario.uncertain_parameters() if name not in anchored().draws and (not len(varied) or name in varied)]
    return [f"Not in these draws, so each by itself over its range: {listed(alone, 50)}."] if alone else []


def fixed_note(scenario: Scenario, varied: Collection[str] = ()) -> list[str]:
    """Say which parameters have one value in all runs because the scenario, or ``--set``, fixes it; ``varied``: what a sweep varies yet."""
    fixed = {name: value for name, value in scenario.fixed_parameters().items() if name not in varied}
    if not fixed:
        return []
    fitted = () if scenario.posterior is None else read_draws(scenario.posterior).columns
    told = [f"{name} at {value:.10g}{' in place of its posterior draws' if name in fitted else ''}" for name, value in fixed.items()]
    whose = "Its" if len(fixed) == 1 else "Their"
    return [f"Fixed in every run: {', '.join(told)}. {whose} uncertainty is left out of all that is said."]
