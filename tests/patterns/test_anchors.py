"""Anchors: what the model gives beside what has been measured is the recorded figure, and can be had from what the program writes."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from school_mentoring.analysis.report.validation import anchor_section
from school_mentoring.experiments.anchors.readings import READINGS, in_three_years
from school_mentoring.experiments.anchors.table import COLUMNS
from school_mentoring.experiments.anchors.targets import ANCHORS
from school_mentoring.model.designs import PRESETS
from tests.commands.program import succeed

from .holds import recorded_anchors, recorded_anchors_now


def test_what_is_found_and_the_verdict_are_the_recorded_ones():
    assert recorded_anchors_now() == recorded_anchors()


def test_each_anchor_has_a_reading_that_decides_with_a_source_and_what_it_fixes():
    deciding = [anchor for anchor in ANCHORS if anchor.decides]
    assert sorted({anchor.letter for anchor in deciding}) == list("ABCDEFG")
    assert {anchor.function for anchor in ANCHORS} == set(READINGS)
    for anchor in ANCHORS:
        assert anchor.source and anchor.fixes and {anchor.design, *anchor.others} <= set(PRESETS)


def test_a_reading_outside_its_target_fails_and_the_chapter_says_so():
    anchor = next(one for one in ANCHORS if one.key == "contacts")
    assert [anchor.meets(found) for found in (0.34, 0.35, 0.55, 0.56, np.nan)] == [False, True, True, False, False]
    row = dict.fromkeys(COLUMNS, "") | {"target_low": 0.35, "target_high": 0.55, "found": 0.34, "error": 0.01, "verdict": "fail"}
    section = anchor_section(pd.DataFrame([row]))
    assert section.blocks[-1].rows[0][3:7] == ["0.35 to 0.55", "0.34", "0.01", "fail"]


# --- from outside: what `simulate --per-school` writes, without the functions that read the anchors --------------------


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("anchors")

    def run(name, design, replicates, *settings):
        sets = [word for text in ("worlds=40", f"replicates={replicates}", *settings) for word in ("--set", text)]
        succeed("simulate", "--design", design, "--per-school", "--threads", "1", "--out", folder / name, *sets, cwd=folder)
        tables = {path.stem: pd.read_parquet(path) for path in (folder / name).glob("*.parquet")}
        frame = tables["schools"].astype({"school_id": str, "mentor": object, "role": str})
        frame["mentor"] = frame["mentor"].where(frame["role"] == "mentee")
        return frame, tables

    return run


def by_school(frame, column):
    """Return a column month by month, a row per school of a replicate."""
    return frame.pivot(index=["replicate", "school_id"], columns="month", values=column)


def found(title, design="regional_hub"):
    return next(float(row["found"]) for row in recorded_anchors() if (row["title"], row["design"]) == (title, design))


def test_coaching_is_what_the_schools_of_a_simulation_give(simulated):
    hub, _ = simulated("hub", "regional_hub", 80, "months=19")
    none, _ = simulated("none", "none", 80, "months=19")
    mentor = by_school(hub, "mentor").loc[:, 6:18]
    still = mentor[mentor[6].notna() & mentor.eq(mentor[6], axis=0).all(axis=1)].index
    after, before = (frame[frame["month"] == 18].set_index(["replicate", "school_id"]).loc[still] for frame in (hub, none))
    team = after["teachers"].clip(upper=4)
    without = (before["adopters"] / before["teachers"] * team).sum()
    gain = norm.ppf(after["team_adopters"].sum() / team.sum()) - norm.ppf(without / team.sum())
    assert gain == pytest.approx(found("Coaching"), rel=1e-3)


NOBODY = ("p=0", "q_in=0", "q_out=0", "beta=0", "turnover=0", "initial_share=0.1")


def test_giving_up_is_what_the_schools_of_a_simulation_give(simulated):
    none, _ = simulated("alone", "none", 20, "months=49", "advanced_fraction=0", *NOBODY)
    users = by_school(none, "adopters")
    share = users[0] / by_school(none, "teachers")[0]
    few = users[(share >= 0.05) & (share <= 0.15)]
    assert 1.0 - few[48].sum() / few[0].sum() == pytest.approx(found("Giving up without support", "none"), rel=1e-3)

    hub, _ = simulated("three", "regional_hub", 80, "months=43", "regional_hub.last_month=43", *NOBODY)
    mentor, users = by_school(hub, "mentor").loc[:, 6:], by_school(hub, "team_adopters").loc[:, 6:]
    runs_on = mentor.notna() & mentor.shift(-1, axis=1).eq(mentor)
    lost, exposed = (users - users.shift(-1, axis=1)).where(runs_on).sum().sum(), users.where(runs_on).sum().sum()
    assert 1.0 - (1.0 - lost / exposed) ** 36 == pytest.approx(found("Giving up with support"), rel=1e-3)


def test_contacts_are_what_the_schools_of_a_simulation_give(simulated):
    hub, tables = simulated("two", "regional_hub", 40, "months=55", "regional_hub.tie_months=24")
    mentor = by_school(hub, "mentor")[[29, 30]].reset_index()
    tied = mentor[mentor[29].notna()].assign(ended=lambda frame: frame[30] != frame[29]).rename(columns={29: "cluster"})
    with_mentor = tied.assign(other=tied["cluster"])[tied["ended"]]
    mates = tied.merge(tied, on=["replicate", "cluster"], suffixes=("", "_other"))
    mates = mates[(mates["school_id"] < mates["school_id_other"]) & (mates["ended"] | mates["ended_other"])]

    def pairs(frame, first, second):
        ends = zip(frame["replicate"], frame[first].astype(str), frame[second].astype(str), strict=True)
        return {(replicate, *sorted((one, other))) for replicate, one, other in ends}

    met = pairs(with_mentor, "school_id", "other") | pairs(mates, "school_id", "school_id_other")
    met -= pairs(tables["peers"], "school_id", "peer")
    lasting = tables["contacts"]
    there = met & pairs(lasting[lasting["month"] == 54], "school_id", "partner")
    assert len(there) / len(met) == pytest.approx(found("Contacts"), rel=1e-3)


def test_a_chance_in_three_years_is_that_of_as_many_months():
    assert in_three_years(np.array([10.0, 1000.0])) == pytest.approx(1.0 - 0.99**36)
    assert np.isnan(in_three_years(np.zeros(2)))
