import pandas as pd
import pytest

from school_mentoring.analysis.outcomes import (
    CATEGORY_NAMES,
    OUTCOMES,
    PAYER_NAMES,
    TEAM_GROUP_NAMES,
    design_name,
    group_name,
    names_in,
    outcome,
)
from school_mentoring.model.costs import CATEGORIES, PAYERS
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.observe import GROUPS, TEAM_GROUPS
from school_mentoring.model.observe import OUTCOMES as NAMES


def test_every_outcome_of_the_model_has_one_name_and_a_unit() -> None:
    assert tuple(OUTCOMES) == tuple(NAMES)
    assert all(about.unit for about in OUTCOMES.values())
    assert len({about.label for about in OUTCOMES.values()}) == len(OUTCOMES)


def test_names_of_designs_groups_categories_and_payers_differ_and_have_no_underscores() -> None:
    for names in (
        [design_name(name) for name in PRESETS],
        [group_name(name) for name in GROUPS],
        [TEAM_GROUP_NAMES[name] for name in TEAM_GROUPS],
        [CATEGORY_NAMES[name] for name in CATEGORIES],
        [PAYER_NAMES[name] for name in PAYERS],
    ):
        assert len(set(names)) == len(names)
        assert not any("_" in name for name in names)


def test_regional_hub_is_the_regional_hub() -> None:
    assert design_name("regional_hub") == "regional hub"


def test_a_country_goes_by_its_name_where_that_is_known() -> None:
    assert group_name("country:HR") == "schools in HR"
    assert group_name("country:HR", {"HR": "Croatia"}) == "schools in Croatia"


def test_an_unknown_outcome_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no outcome named 'happiness'"):
        outcome("happiness")


def test_names_keep_the_order_of_categories() -> None:
    column = pd.Series(pd.Categorical(["b", "a", "b"], categories=["c", "b", "a"]))
    assert names_in(column) == ["b", "a"]
    assert names_in(column, present=False) == ["c", "b", "a"]
    assert names_in(pd.Series(["b", "a", "b"])) == ["b", "a"]
