"""The researcher's view, ``serve --mesa``: Mesa's own SolaraViz page of the agents of ``model/agents.py``; needs the extra ``mesa``."""

import logging
import os
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from school_mentoring.analysis.figures import network
from school_mentoring.analysis.outcomes import design_name
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.agents import SchoolAgent
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.mesa_model import MentoringModel, programme_rows
from school_mentoring.model.parameters import PARAMETERS, salary_factor
from school_mentoring.model.state import ALUMNUS, MENTEE, MENTOR, NO_ROLE
from school_mentoring.model.world.arrays import DISADVANTAGED, RURAL, SECONDARY
from school_mentoring.model.world.schools import LEVELS, Schools
from school_mentoring.scenarios import Scenario

from .guard import LogHandler, listen, log

OFFLINE = {
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "False",
    "SOLARA_ASSETS_PROXY": "True",
    "SOLARA_APP": "school_mentoring.analysis.web.mesa_app",
}
"""No telemetry, and nothing fetched from elsewhere."""


class ViewedModel(MentoringModel):
    """A scenario's model, stepped and made anew; its arguments are what a visitor chooses; ``seed``: digits, or the scenario's."""

    scenario: Scenario
    first_design = "regional_hub"
    """What the page shows, and begins with; set before the first is made."""

    def __init__(self, design: str = "regional_hub", replicate: int = 0, seed: str = "") -> None:
        scenario = type(self).scenario
        parameters = scenario.base_parameters()
        world, table = Worlds(scenario).get(parameters, replicate % scenario.worlds)
        known = {**PRESETS, **scenario.designs}
        rows = programme_rows(known[design], (scenario.programme.first_month, scenario.programme.last_month), table.places)
        own = {name: value for name, value in parameters.items() if name in PARAMETERS}
        number = int(seed) % 2**64 if seed.isdecimal() else scenario.seed
        super().__init__(world, scenario.practice_arrays(), rows, own, seed=number, replicate=replicate)
        self.set_factors([parameters[salary_factor(code)] for code in table.country_codes])
        self.table: Schools = table
        self.design_label = design_name(design)
        self.months = scenario.months

    def step(self) -> None:
        """Advance a month; after the scenario's last one the model runs no further."""
        super().step()
        self.running = self.month < self.months


def state_table(model: ViewedModel, country: int = 0) -> pd.DataFrame:
    """Return the schools of a country as they are now, with the columns that ``analysis.figures.network`` draws."""
    return pd.DataFrame(
        {
            "design": model.design_label, "month": model.month, "school": school.index, "x_km": school.x, "y_km": school.y,
            "share": school.own_share, "role": school.role, "mentor": school.mentor.index if school.mentor else -1,
        }
        for school in model.schools
        if school.country == country
    )  # fmt: skip


def contact_table(model: ViewedModel) -> pd.DataFrame:
    """Return the lasting contacts as they are now, of each both schools' rows, with the columns that ``analysis.figures.network`` draws."""
    rows = [(model.design_label, model.month, school.index, met.other.index) for school in model.schools for met in school.contacts]
    return pd.DataFrame(rows, columns=["design", "month", "school", "partner"])


def school_table(model: ViewedModel, school: SchoolAgent) -> pd.DataFrame:
    """Return all of one school in words: what it is, what it does, who it is tied to."""
    ids = model.table.school_id
    roles = {NO_ROLE: "none", MENTOR: "mentor", MENTEE: "mentee", ALUMNUS: "was a mentee as long as planned"}
    rows: dict[str, Any] = {
        "school": ids[school.index],
        "country": model.table.countries[school.country].name,
        "region": model.table.region_names[school.region],
        "level": LEVELS[bool(school.traits & SECONDARY)],
        "rural": "yes" if school.traits & RURAL else "no",
        "disadvantaged": "yes" if school.traits & DISADVANTAGED else "no",
        "teachers": school.teachers,
        "digital capacity": school.capacity,
        "openness": school.openness,
        "adopters": ", ".join(str(adopters) for adopters in school.adopters),
        "share of teachers": ", ".join(f"{share:.2f}" for share in school.share),
        "exposure to peers": ", ".join(f"{school.exposure(practice):.3f}" for practice in range(len(school.share))),
        "role": roles[school.role],
        "mentor": ids[school.mentor.index] if school.mentor else "-",
        "mentees": ", ".join(str(ids[one.index]) for one in school.mentees) or "-",
        "team": school.team,
        "adopters in the team": ", ".join(str(adopters) for adopters in school.team_adopters),
        "lasting contacts": ", ".join(str(ids[one.other.index]) for one in school.contacts) or "-",
        "saturation of mentoring": ", ".join(f"{value:.3f}" for value in school.saturation),
        "coordination quality": f"{school.quality:.3f}",
        "peers": ", ".join(str(ids[peer]) for peer, _ in school.peer_weights) or "-",
    }
    return pd.DataFrame({"": list(rows), "value": [str(value) for value in rows.values()]})


def map_figure(model: ViewedModel, country: int = 0) -> Any:
    """Return the map of a country in this month."""
    figure = network(state_table(model, country), contacts=contact_table(model), place=model.table.countries[country].name)
    figure.set_size_inches(10, 6)
    return figure


def serve_mesa(scenario: Scenario, design: str, *, host: str, port: int, allow_hosts: Sequence[str] = (), root_path: str = "") -> None:
    """Serve the page until it is stopped. Raises InputError where the extra is missing, or the design or the address cannot be used."""
    known = {**PRESETS, **scenario.designs}
    if design not in known:
        raise InputError(f"--design {design}", f"no design named {design!r}", nearest(design, known))
    for flag, given in (("--allow-host", allow_hosts), ("--root-path", root_path)):
        if given:
            raise InputError(flag, "does not go with --mesa", "leave it out")
    os.environ |= OFFLINE
    try:
        import solara  # noqa: F401
        import solara_assets  # noqa: F401
    except ImportError:
        raise InputError("--mesa", "needs Solara, which is not installed", "pip install -e '.[mesa]'") from None
    listening, shown = listen(host, port)
    ViewedModel.scenario, ViewedModel.first_design = scenario, design
    import uvicorn

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Solara's, of how Mesa's own components are written
        from solara.server.starlette import app
    logging.basicConfig(handlers=[LogHandler()], level=logging.WARNING, force=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    log("listening", address=shown)
    print(f"The page is at {shown} (stop with Ctrl-C)", flush=True)
    uvicorn.Server(config).run([listening])
