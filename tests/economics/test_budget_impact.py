import pandas as pd
import pytest

from school_mentoring.analysis.economics.budget_impact import budget_impact, spending
from tests.analysis.tables import table_of_runs

SPENT = {
    "spent_programme:country:HR:1": [10.0, 30.0],
    "spent_programme:country:HR:2": [1.0, 1.0],
    "spent_programme:country:BE-VLG:1": [5.0, 5.0],
    "spent_programme:country:BE-VLG:2": [0.0, 0.0],
    "spent_schools:country:HR:1": [2.0, 4.0],
    "spent_schools:country:HR:2": [0.0, 0.0],
    "spent_schools:country:BE-VLG:1": [0.0, 0.0],
    "spent_schools:country:BE-VLG:2": [7.0, 9.0],
}


@pytest.fixture
def runs() -> pd.DataFrame:
    return table_of_runs({"none": {name: [0.0, 0.0] for name in SPENT}, "hub": SPENT}, sets=2)


def test_what_is_spent_is_told_apart_by_year_payer_and_country(runs) -> None:
    table = spending(runs)
    assert table.columns.tolist() == ["design", "parameter_set", "replicate", "year", "country", "payer", "cost"]
    chosen = table[(table["design"] == "hub") & (table["country"] == "BE-VLG") & (table["payer"] == "schools") & (table["year"] == 2)]
    assert chosen["cost"].tolist() == [7.0, 9.0]


def test_budgets_are_means_over_parameter_sets_with_their_range(runs) -> None:
    table = budget_impact(spending(runs), runs).set_index(["design", "year", "payer"])
    assert table.loc[("hub", 1, "programme"), "cost"] == 25.0  # (15 + 35) / 2
    assert table.loc[("hub", 1, "programme"), ["low", "high"]].tolist() == pytest.approx([16.0, 34.0])
    assert table.loc[("hub", 2, "schools"), "cost"] == 8.0
    assert table.loc["none", "cost"].sum() == 0.0


@pytest.mark.parametrize("by", [("year", "payer"), ("country",), ("year", "country", "payer"), ("payer",)])
def test_however_costs_are_split_they_add_up_to_the_same_total(runs, by) -> None:
    table = budget_impact(spending(runs), runs, by=by)
    assert table.groupby("design", observed=True)["cost"].sum().to_dict() == {"none": 0.0, "hub": 37.0}


def test_monthly_costs_give_years_categories_and_discounted_sums(runs) -> None:
    costs = pd.DataFrame(
        {
            "design": "hub",
            "parameter_set": [0, 0, 1],
            "replicate": 0,
            "month": [0, 12, 12],
            "category": ["travel", "travel", "stipend"],
            "payer": "programme",
            "cost": [100.0, 103.0, 206.0],
        }
    )
    plain = budget_impact(costs, runs, by=("year", "category")).set_index(["design", "year", "category"])["cost"]
    assert plain["hub", 1, "travel"] == 50.0
    assert plain["hub", 2, "stipend"] == 103.0
    assert plain["none"].sum() == 0.0
    discounted = budget_impact(costs, runs, by=("payer",), discount_rate=0.03).set_index("design")["cost"]
    assert discounted["hub"] == pytest.approx((100 + 100 + 200) / 2, rel=1e-12)


def test_what_cannot_be_split_is_said(runs) -> None:
    with pytest.raises(ValueError, match="no column 'category' to split costs by; there are year, country, payer, cost"):
        budget_impact(spending(runs), runs, by=("category",))
    with pytest.raises(ValueError, match="needs the costs of months"):
        budget_impact(spending(runs), runs, discount_rate=0.03)
    with pytest.raises(ValueError, match="do not hold what was spent"):
        spending(runs[["design", "parameter_set", "replicate"]])
