"""The anchored draws that the program ships: parameter sets, each with a structure, that meet what has been measured."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from school_mentoring.model.fingerprint import anchored_fingerprint
from school_mentoring.model.world.structure import WORLD_WORDS

from .load import load_scenario, resolved
from .posterior import check_draws, fitted_draws
from .schema import STRUCTURE_DRAWN, Scenario

if TYPE_CHECKING:
    import pandas as pd

ANCHORED = Path(str(files(__package__))) / "anchored" / "draws.parquet"
METADATA = b"school_mentoring"
"""Where the metadata of a file of draws hold how they came about."""


class Anchored(NamedTuple):
    """The joint ``draws``, a column per parameter and choice of structure, and ``about``: how they came about, ``model`` among it."""

    draws: "pd.DataFrame"
    about: dict[str, Any]

    @property
    def is_of_this_model(self) -> bool:
        """Whether they were drawn with the rules and numbers that the program has now."""
        return bool(self.about["model"] == model_now())


@cache
def anchored(path: Path = ANCHORED) -> Anchored:
    """Return the draws of a file. Raises InputError where it holds anything else."""
    import pandas as pd
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    draws = table.to_pandas()
    words = [name for name in WORLD_WORDS if name in draws]
    numbers = check_draws(draws.drop(columns=words), str(path))
    return Anchored(pd.concat([numbers, draws[words]], axis=1), json.loads(table.schema.metadata[METADATA]))


@cache
def model_now() -> str:
    """Return the fingerprint of the rules and of the numbers that anchored draws rest on, as they are now."""
    described = {**resolved(load_scenario("mensi-pilot")), "title": "", "description": ""}
    return anchored_fingerprint(json.dumps(described, sort_keys=True).encode())


def joint_draws(scenario: Scenario) -> "pd.DataFrame":
    """Return what varies together in a scenario, a column each: by its posterior, else by the anchored draws unless it refuses them.

    Of these what it states itself is left out, and what it does not call uncertain.
    """
    import pandas as pd

    if scenario.posterior is not None:
        return fitted_draws(scenario)
    if scenario.ranges == "independent":
        return pd.DataFrame()
    draws, own = anchored().draws, stated_instead(scenario)
    names = {*scenario.uncertain_parameters(), *(WORLD_WORDS if STRUCTURE_DRAWN in scenario.uncertain else ())}
    return draws[[name for name in draws if name in names and name not in own]]


def stated_instead(scenario: Scenario) -> list[str]:
    """Return what anchored draws hold and a scenario states itself: values, ranges and correlations of parameters, choices of structure.

    The network is stated where the ties are the user's own.
    """
    correlated = {name for one in scenario.correlations for name in one.between}
    own = {*scenario.stated, *correlated, *(("world.network",) if scenario.world.ties is not None else ())}
    return [name for name in (*scenario.parameters, *WORLD_WORDS) if name in own and name in anchored().draws]
