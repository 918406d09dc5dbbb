"""Pattern 9: outreach alone adds little and fades; a community whose mentees become mentors grows in proportion to itself at first.

After Rooney-Varga, Kapmeier, Henderson & Ford 2024. Outreach: 40 worlds of the pilot, 20 years. Community: 4,800 schools, so that places do
not run out; it starts from assigned mentors, and nobody volunteers later, so that every new mentor is a former mentee.
"""

from functools import cache

import numpy as np

from .runs import MARGIN, Study, mean_se, preset, study

START, END, LATER = 6, 34, 71
YEARS = 6


@cache
def campaign(**parameters: float) -> Study:
    designs = {name: preset(name) for name in ("outreach", "bottom_up", "virtual", "top_down", "regional_hub", "hybrid")}
    return study(designs, parameters=parameters, months=240, monthly=True)


def lead(design: str, month: int, **parameters: float) -> np.ndarray:
    """Return the log ratio of the adopting share to that under ``none``, (worlds,)."""
    runs = campaign(**parameters)
    return np.log(runs.share(design)[:, month] / runs.share("none")[:, month])


def test_outreach_adds_little():
    runs = study({name: preset(name) for name in campaign().ensemble.designs if name != "none"})
    assert runs.added("outreach").mean() < 0.1 * runs.outcome("none", "effect_adopter_years").mean()
    # A small part of what mentoring with a coordinator adds, and less than half of what schools among themselves do.
    for other, most in (("virtual", 0.25), ("top_down", 0.25), ("regional_hub", 0.25), ("hybrid", 0.25), ("bottom_up", 0.5)):
        difference, error = mean_se(most * runs.added(other) - runs.added("outreach"))
        assert difference > MARGIN * error


def test_the_lead_of_outreach_over_none_fades_after_its_end_and_that_of_a_community_grows():
    for month in (LATER, 119, 239):
        fading, error = mean_se(lead("outreach", month) - lead("outreach", END))
        assert fading < -MARGIN * error
    assert lead("outreach", 239).mean() < 0.1 * lead("outreach", END).mean()
    added = campaign().share("outreach") - campaign().share("none")
    fading, error = mean_se(added[:, 239] - 0.5 * added[:, END])
    assert fading < -MARGIN * error  # in points of share too
    growing, error = mean_se(lead("bottom_up", LATER) - lead("bottom_up", END))
    assert growing > MARGIN * error


def test_without_influence_among_teachers_what_outreach_added_in_points_fades_at_once():
    # With it, the points added still grow for five years: a head start on the rising part of the S.
    alone = campaign(q_in=0.0, q_out=0.0)
    added = alone.share("outreach") - alone.share("none")
    difference, error = mean_se(added[:, LATER] - 0.5 * added[:, END])
    assert difference < -MARGIN * error
    carried = campaign().share("outreach") - campaign().share("none")
    difference, error = mean_se(carried[:, LATER] - carried[:, END])
    assert difference > MARGIN * error


@cache
def community() -> Study:
    seeded = {"recruitment": "assigned", "last_month": START + 12 * YEARS + 12}
    designs = {
        f"{name}_{mentors}": preset("bottom_up", cascade=cascade, mentor_share=mentors, **seeded)
        for name, cascade in (("cascade", 1.0), ("still", 0.0))
        for mentors in (0.005, 0.01)
    }
    return study(designs, worlds=6, months=START + 12 * YEARS + 1, schools_per_region=200, per_school=True)


def mentors(design: str) -> np.ndarray:
    """Return the number of mentors after each yearly round, (worlds, years)."""
    return community().mentors(design)[:, START::12].sum(axis=2)


def test_a_community_grows_by_a_factor_each_year():
    grown = mentors("cascade_0.01")
    logs = np.log(grown.mean(axis=0))
    years = np.arange(len(logs))
    straight = np.corrcoef(years, logs)[0, 1] ** 2
    assert straight > 0.95  # log mentors are a line in time
    assert np.corrcoef(years, np.exp(logs))[0, 1] ** 2 < straight  # mentors themselves are not
    assert (np.diff(grown.mean(axis=0)) > 0).all()
    assert grown[:, -1].mean() < 0.2 * len(community().world(0).teachers)  # places are not exhausted


def test_twice_the_founders_give_twice_the_community():
    one, two = mentors("cascade_0.005"), mentors("cascade_0.01")
    for year in (0, 2, 4):
        ratio = two[:, year] / one[:, year]
        mean, error = mean_se(ratio)
        assert abs(mean - 2.0) < MARGIN * error + 0.2


def test_where_mentees_do_not_become_mentors_the_community_does_not_grow():
    still = mentors("still_0.01")
    assert (still == still[:, :1]).all()
