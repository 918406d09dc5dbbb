"""Face validity: what is reported of MenSI and the Living Schools Lab beside what the model has or gives, and where they differ.

Facts carry their source; figures of the model are read off its scenarios and runs, not typed in.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.progress import Stage
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.designs import PRESETS
from school_mentoring.scenarios import Scenario, load_scenario

__all__ = ["face_table"]


SAME, PARTLY, DIFFERS, MISSING, UNKNOWN = "as reported", "partly", "differs", "not in the model", "nothing reported"
REPLICATES = 20

MENSI, LAB = "MenSI", "Living Schools Lab"
CORDIS = "CORDIS, grant 101004633; project pages"
INDIRE = "indire.it project page; CORDIS"
BLOGS = "mensi.eun.org school-pilot blogs"
HUB = "lsl.eun.org/school-network; fcl.eun.org/lsl"


class Fact(NamedTuple):
    """A reported fact, its source, what the model has, and how the two compare."""

    project: str
    topic: str
    reported: str
    source: str
    model: str
    verdict: str


class _Seen(NamedTuple):
    """Means over replicates of a design: schools that mentored and were mentored, and the share of ties within a region."""

    mentors: float
    mentees: float
    within_region: float


def _runs(scenario: Scenario, names: tuple[str, ...]) -> dict[str, _Seen]:
    chosen = scenario.model_copy(update={"designs": {name: scenario.designs[name] for name in names}, "worlds": REPLICATES})
    homes = Worlds(chosen)
    found = run_ensemble(chosen, [{}], REPLICATES, worlds=homes, per_school=True)
    seen = {}
    for position, name in enumerate(names):
        rows = found.runs[found.runs["design"] == name]
        near = []
        for replicate in range(REPLICATES):
            world, _ = homes.get(chosen.base_parameters(), replicate)
            mentor = found.results.schools[position * REPLICATES + replicate, chosen.programme.first_month, -1]
            tied = np.flatnonzero(mentor >= 0)
            near.append(float((world.region[tied] == world.region[mentor[tied]]).mean()) if tied.size else np.nan)
        seen[name] = _Seen(float(rows["mentor_schools"].mean()), float(rows["mentee_schools"].mean()), float(np.nanmean(near)))
    return seen


def _agrees(same: bool) -> str:
    return SAME if same else DIFFERS


def _mensi() -> list[Fact]:
    pilot, alone = load_scenario("mensi-pilot"), load_scenario("mensi-pilot-only")
    months = pilot.programme.last_month - pilot.programme.first_month
    codes = [country.code for country in pilot.world.countries]
    seen = _runs(pilot, ("top_down", "regional_hub"))
    top, hub = seen["top_down"], seen["regional_hub"]
    schools = {name: sum(one.regions()) * one.world.schools_per_region for name, one in (("pilot", pilot), ("alone", alone))}
    unpaid = pilot.base_parameters()["voluntary_hours"]
    hours = {name: (unpaid + PRESETS[name].release_hours) / PRESETS[name].places for name in ("top_down", "regional_hub")}
    rows = [
        ("duration", "28 months, November 2020 to February 2023", CORDIS, f"{months} funded months", _agrees(months == 28)),
        (
            "countries",
            "Belgium-Flanders, Croatia, Czechia, Hungary, Italy, Portugal",
            CORDIS,
            ", ".join(codes),
            _agrees(set(codes) == {"BE-VLG", "HR", "CZ", "HU", "IT", "PT"}),
        ),
        (
            "mentor schools",
            "4 in each country, 24 in all",
            INDIRE,
            f"{top.mentors:.1f} under top-down",
            _agrees(abs(top.mentors - 24) < 0.5),
        ),
        (
            "mentee schools",
            "about 4 for each mentor, 96 to 100 in all",
            INDIRE,
            f"at most {PRESETS['top_down'].places} for each at a time; {top.mentees:.0f} ever under top-down, {hub.mentees:.0f} under "
            f"regional hubs, as places that fall free are given anew and mentees may become mentors ({hub.mentors:.0f} mentors in all)",
            PARTLY,
        ),
        (
            "schools",
            "120",
            INDIRE,
            f"{schools['alone']} in mensi-pilot-only; {schools['pilot']} in mensi-pilot, which also has the schools around the clusters",
            _agrees(schools["alone"] == 120),
        ),
        (
            "where mentees are",
            "in the mentor's area",
            INDIRE,
            f"in the mentor's region: {100 * hub.within_region:.0f} % of first ties under regional hubs, "
            f"{100 * top.within_region:.0f} % under top-down, which searches the whole country",
            PARTLY,
        ),
        (
            "structures",
            "top-down, regional hub, bottom-up, with virtual tools across all",
            "report D2.1 (2021)",
            "presets top_down, regional_hub, bottom_up; virtual is a structure of its own as well as a share of hours",
            PARTLY,
        ),
        (
            "mixed structures",
            "real designs mix them: a national coordinator in Hungary, calls by region in Italy, distant pairs meeting online in Croatia",
            f"{BLOGS}; indire.it, 6 July 2021 and 8 September 2022",
            "a run has one design for all countries; hybrid is one mix of several",
            DIFFERS,
        ),
        (
            "how mentors are found",
            "Italy: open comparative call per region; volunteers selected by an agency, who sign an agreement",
            "indire.it, 6 July 2021, 8 September 2022",
            "either assigned by capacity and share, or volunteering; not volunteering first and then selected",
            DIFFERS,
        ),
        (
            "who is served",
            "small and rural schools, schools with socially disadvantaged pupils (Italy, Portugal)",
            "targets chosen by partners, project pages",
            "priority by need counts rural and disadvantaged; small size counts nowhere",
            PARTLY,
        ),
        (
            "meetings",
            "Hungary: one online call per school and one meeting day; Italy: a cluster meeting of two days; Croatia: online",
            BLOGS,
            f"even monthly hours: {hours['top_down']:.1f} per mentee under top-down, {hours['regional_hub']:.1f} under regional hubs",
            DIFFERS,
        ),
        (
            "training of mentors",
            "online, three modules: 93 people registered from the 24 mentor schools, 74 completed",
            "mensi.eun.org news 6623690",
            "every new mentor school is trained, once, and costs the same; nobody drops out of it",
            MISSING,
        ),
        (
            "what decides outcomes",
            "voluntary or compulsory participation, started from outside or inside, recognition and support by authorities",
            "CORDIS article 445493",
            "recruitment, mandate, recognition, coordination and incentives are fields of a design; their strengths are assumptions",
            PARTLY,
        ),
        (
            "budget, payments, hours, ties lost, adoption before and after, effects of incentives",
            "not found",
            "none",
            "assumptions with wide ranges, to be replaced by calibration to the pilot's own data",
            UNKNOWN,
        ),
    ]
    return [Fact(MENSI, *row) for row in rows]


def _lab() -> list[Fact]:
    lab = load_scenario("living-schools-lab")
    world, _ = Worlds(lab).get(lab.base_parameters(), 0)
    months = lab.programme.last_month - lab.programme.first_month
    schools, countries = world.teachers.size, len(lab.world.countries)
    base = lab.base_parameters()
    advanced = int(base["advanced_fraction"] * schools + 0.5)
    rows = [
        ("countries", "12", HUB, f"{countries}", _agrees(countries == 12)),
        (
            "schools",
            "in each country 2 advanced and 5 advanced practitioner schools: 24 + 60",
            HUB,
            f"{schools} schools, the {advanced} with the largest capacity start as advanced",
            _agrees(schools == 84 and advanced == 24),
        ),
        ("duration", "October 2012 to September 2014", HUB, f"{months} funded months", _agrees(months == 24)),
        (
            "kinds of school",
            "advanced: technology embedded in the whole school; practitioners: in pockets",
            HUB,
            f"{100 * base['advanced_share']:.0f} % and about {100 * base['initial_share']:.0f} % of teachers at the start: the words are "
            "reported, the figures are judgements",
            PARTLY,
        ),
        (
            "teachers",
            "more than 500 took part",
            "University of Wolverhampton news, 4 February 2015",
            f"all {int(world.teachers.sum()):,} teachers of the schools may adopt; {base['team']:g} of a mentee school attend sessions",
            DIFFERS,
        ),
        (
            "organisation",
            "regional hubs",
            f"report D2.1 of MenSI (2021); {HUB}",
            "regional hubs beside what-ifs of other designs on the same schools",
            SAME,
        ),
        (
            "second wave",
            "from January 2014 the network opens to a larger online community",
            HUB,
            "left out: the schools of a run are fixed",
            MISSING,
        ),
    ]
    return [Fact(LAB, *row) for row in rows]


def face_table(stage: Stage = lambda *_: None) -> pd.DataFrame:
    """Return the facts: project, topic, reported, source, model, verdict."""
    stage("face validity", 0, 2)
    facts = _mensi()
    stage("face validity", 1, 2)
    return pd.DataFrame([*facts, *_lab()], columns=list(Fact._fields))
