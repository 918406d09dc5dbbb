"""The anchored draws that the program ships: parameter sets, each with a structure, that meet what has been measured."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from school_mentoring.model.errors import InputError
from school_mentoring.model.fingerprint import anchored_fingerprint
from school_mentoring.model.parameters import PARAMETERS
from school_mentoring.model.world.structure import WORLD_WORDS

from .load import load_scenario, resolved
from .posterior import UNREADABLE, check_draws, fitted_draws
from .schema import STRUCTURE_DRAWN, Scenario

if TYPE_CHECKING:
    import pandas as pd

ANCHORED = Path(str(files(__package__))) / "anchored" / "draws.parquet"
REMEDY = "run.py anchor --ship makes them anew; --set ranges=independent does without"
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
    """Return the draws of a file. Raises InputError where it is damaged: it holds anything else, or less than draws of this model do."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True)
        draws, about = table.to_pandas(), json.loads(table.schema.metadata[METADATA])
        needed, is_of_now = [*about["structures"]], about["model"] == model_now()
    except (*UNREADABLE, pa.ArrowException) as error:
        raise InputError(str(path), f"cannot be read as anchored draws ({type(error).__name__})", REMEDY) from None
    if is_of_now:
        needed += [name for name, row in PARAMETERS.items() if row.low < row.high]
    if missing := [name for name in needed if name not in draws]:
        raise InputError(str(path), f"has no column {missing[0]!r}", REMEDY)
    words = [name for name in WORLD_WORDS if name in draws]
    if strange := [name for name in words if not draws[name].isin(WORLD_WORDS[name]).all()]:
        raise InputError(str(path), f"the column {strange[0]!r} holds other than {', '.join(WORLD_WORDS[strange[0]])}", REMEDY)
    try:
        numbers = check_draws(draws.drop(columns=words), str(path))
    except InputError as error:
        raise InputError(error.where, error.problem, REMEDY) from None
    return Anchored(pd.concat([numbers, draws[words]], axis=1), about)


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
