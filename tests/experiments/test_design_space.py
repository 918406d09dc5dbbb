"""The space of designs holds the presets, gives one design for all points that mean the same, and refuses what no design may be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_mentoring.experiments.search.design_space import STEPS, design_space
from school_mentoring.experiments.search.evolve import search_variables
from school_mentoring.model.designs import FIELDS, PRESETS, design_table
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario
from school_mentoring.scenarios.designs import check_fields

PILOT = load_scenario("mensi-pilot")
SPACE = design_space(PILOT)


@pytest.mark.parametrize("name", PRESETS)
def test_the_space_holds_every_preset_as_the_engine_reads_it(name):
    assert SPACE.holds(PRESETS[name])
    found = SPACE.design(SPACE.point(PRESETS[name]))
    if PRESETS[name].recruitment != "none":
        there, here = design_table([PRESETS[name], found], 6, 34)
        assert there == here


@given(st.integers(0, 2**32 - 1))
def test_every_point_means_a_design_that_a_scenario_may_hold_and_that_means_itself(seed):
    rng = np.random.default_rng(seed)
    point = {name: variable.sample(random_state=rng) for name, variable in search_variables(SPACE.variables).items()}
    design = SPACE.design(point)
    check_fields("design", design)
    assert SPACE.design(SPACE.point(design)) == design
    assert design.last_month is None or 12 <= design.last_month <= PILOT.months
    for name, step in STEPS.items():
        value = getattr(design, name)
        assert value is None or value / step == pytest.approx(round(value / step), abs=1e-9)


def test_what_means_nothing_beside_the_other_fields_is_not_told_apart():
    point = SPACE.point(PRESETS["none"])
    assert SPACE.design({**point, "stipend": 5000.0, "fte": 2.0, "tier": "hub"}) == SPACE.design(point)
    hub = SPACE.point(PRESETS["regional_hub"])
    assert SPACE.design({**hub, "mandate": True}) == SPACE.design(hub)
    assert SPACE.design({**hub, "tier": "none"}) == SPACE.design({**hub, "fte": 0.0})
    assert SPACE.design({**hub, "target": "rural", "reserve": 0.0}) == SPACE.design({**hub, "target": "none", "reserve": 0.5})
    assert SPACE.design({**hub, "community": 0.0, "community_after": True}) == SPACE.design({**hub, "community": 0.0})
    assert SPACE.design({**hub, "tie_months": 13}) == SPACE.design({**hub, "tie_months": 24})  # ties end at a yearly round
    assert SPACE.design({**hub, "tie_months": 0}).tie_months == 0


def test_a_narrowed_space_stays_within_what_is_stated():
    space = design_space(PILOT, ["recruitment=assigned", "scope=region|country", "places=2:3", "fte=0.5", "mentor_share=0.05"])
    names = {variable.name for variable in space.variables}
    assert names == set(FIELDS) - {"first_month", "recruitment", "fte", "mentor_share"}
    rng = np.random.default_rng(0)
    for _ in range(50):
        point = {name: variable.sample(random_state=rng) for name, variable in search_variables(space.variables).items()}
        design = space.design(point)
        assert design.recruitment == "assigned"
        assert design.scope in ("region", "country")
        assert design.places in (2, 3)
        assert design.fte in (0.5, 0.0)  # without a tier nobody is employed
    assert not space.holds(PRESETS["virtual"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stipends=1:2", "did you mean 'stipend'?"),
        ("stipend", "states no values"),
        ("places=0:3", "out of range"),
        ("places=2.5:3", "no whole number"),
        ("scope=region|moon", "is no value"),
        ("last_month=2:40", "ends the funding before it begins"),
        ("fte=3:1", "above high"),
    ],
)
def test_what_no_design_may_have_is_refused(text, said):
    with pytest.raises(InputError, match=f"--space .*{said.replace('?', '.')}"):
        design_space(PILOT, [text])


def test_a_field_given_twice_and_a_space_without_choice_are_refused():
    with pytest.raises(InputError, match="given twice"):
        design_space(PILOT, ["fte=1:2", "fte=0:1"])
    fixed = [
        f"{name}={FIELDS[name].low:g}" for name in FIELDS if FIELDS[name].low is not None and name not in ("first_month", "last_month")
    ]
    with pytest.raises(InputError, match="nothing to search"):
        design_space(PILOT, [*fixed, "last_month=34", "recruitment=assigned", "scope=region", "priority=need", "target=none", "tier=hub"])
