"""What is said of how parameters vary in a study, where that is not as it would be by default."""

from collections.abc import Collection, Sequence
from pathlib import Path

from school_mentoring.model.errors import listed
from school_mentoring.model.world.countries import FIGURES, Country
from school_mentoring.model.world.structure import WORLD_WORDS
from school_mentoring.scenarios import Scenario, anchored, joint_draws, read_draws, stated_instead

from .distributions import Variable

MEASURED = "draws that meet what has been measured"


def assumed_figures(countries: Sequence[Country]) -> str:
    """Return which figures of which countries nobody found or stated; nothing where there are none."""
    without = {field: [country.code for country in countries if field in country.assumed] for field in FIGURES}
    named = "; ".join(f"{field} of {listed(codes, 8)}" for field, codes in without.items() if codes)
    return f"{named} (usual hours, else means, in their place)" if named else ""


def notes_on_draws(scenario: Scenario, variables: Sequence[Variable], sets: int) -> list[str]:
    """Say by which draws variables vary together, and what of a scenario's parameters is not as it would be by default.

    ``variables``: what is varied; ``sets``: how many parameter sets are drawn of these.
    """
    drawn, apart = ([variable.name for variable in variables if (variable.draws is None) is own] for own in (False, True))
    if not drawn:
        said = []
    elif scenario.posterior is not None:
        others = "; other parameters over their ranges" if apart else ""
        said = [f"Fitted to data: {', '.join(drawn)} vary by the joint draws of {Path(scenario.posterior).name}{others}."]
    else:
        said = _anchored_notes(scenario, drawn, apart, sets)
    return [*said, *fixed_note(scenario, [*drawn, *apart])]


def _anchored_notes(scenario: Scenario, drawn: Sequence[str], apart: Sequence[str], sets: int) -> list[str]:
    """Say what varies by anchored draws, and what ``apart`` from them; all of what is uncertain is not named one by one."""
    count, together, words = len(anchored().draws), set(drawn), set(WORLD_WORDS)
    who = listed(drawn)
    if set(joint_draws(scenario)) - words <= together:
        parameters = "Uncertain parameters and the structure" if together & words else "Uncertain parameters"
        who = parameters if together - words else "The structure"
    notes = [f"{who} {'vary together' if len(drawn) > 1 and together - words else 'varies'}, by {count:,} {MEASURED}."]
    if sets > count:
        notes.append(f"Notice: {sets:,} parameter sets take some of these draws more than once, which makes nothing surer.")
    if own := [*apart, *(name for name in stated_instead(scenario) if name in words - {*apart})]:
        notes.append(f"Apart from these draws, as stated or over ranges and choices of their own: {listed(own, 50)}.")
    return [*notes, *_stale_note()]


def notes_on_narrowed(scenario: Scenario, variables: Sequence[Variable]) -> list[str]:
    """Say over what variables are varied by a method that asks for independent ones; ``variables``: as they were before ``narrowed``."""
    drawn = [variable.name for variable in variables if variable.draws is not None and not variable.choices]
    apart = [variable.name for variable in variables if variable.draws is None]
    who = "each uncertain parameter" if set(joint_draws(scenario)) - set(WORLD_WORDS) <= set(drawn) else listed(drawn)
    said = []
    if drawn:
        stays = "" if set(WORLD_WORDS) & set(apart) else "; the structure stays as the scenario has it"
        said.append(f"As this method asks for independent parameters, {who} varies over the middle 90 % of the {MEASURED}{stays}.")
    if drawn and apart:
        said.append(f"Apart from these draws, over ranges and choices of their own: {listed(apart, 50)}.")
    return [*said, *(_stale_note() if drawn else ()), *fixed_note(scenario, [*drawn, *apart])]


def _stale_note() -> list[str]:
    """Say where the anchored draws are not of this model."""
    problem = "these draws were made with other rules or numbers than this study"
    return [] if anchored().is_of_this_model else [f"Notice: {problem}; run.py anchor --ship makes them anew."]


def fixed_note(scenario: Scenario, varied: Collection[str] = ()) -> list[str]:
    """Say which parameters have one value in all runs because the scenario, or ``--set``, fixes it; ``varied``: what a sweep varies yet."""
    fixed = {name: value for name, value in scenario.fixed_parameters().items() if name not in varied}
    if not fixed:
        return []
    fitted = () if scenario.posterior is None else read_draws(scenario.posterior).columns
    told = [f"{name} at {value:.10g}{' in place of its posterior draws' if name in fitted else ''}" for name, value in fixed.items()]
    whose = "Its" if len(fixed) == 1 else "Their"
    return [f"Fixed in every run: {', '.join(told)}. {whose} uncertainty is left out of all that is said."]
