"""What researchers call from Python, as ``school_mentoring`` shows it: the commands as functions that give back objects with tables.

Nothing is printed but progress, and nothing written but the folder of a sweep. Bad input raises InputError, worded as for the command line.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from school_mentoring import scenarios
from school_mentoring.model.errors import InputError
from school_mentoring.model.parameters import PARAMETERS, salary_factor
from school_mentoring.scenarios import RunOptions, ScenarioLike, ScenarioOptions, Settings

from .arguments import from_python
from .compare import Comparison
from .compare import compare as run_compare
from .ensemble import chosen_engine
from .folder import reading
from .folder.reading import Study
from .folder.writing import checked_out, study_path
from .progress import Progress
from .simulate import Simulation
from .simulate import simulate as run_simulation
from .worlds import Worlds

if TYPE_CHECKING:  # Mesa takes as long to load as all else together
    from school_mentoring.model.agents import SchoolAgent
    from school_mentoring.model.mesa_model import MentoringModel

Engine = Literal["compiled", "mesa"]

load_scenario = from_python(scenarios.load_scenario)
open_study = from_python(reading.open_study)


@from_python
def compare(
    scenario: ScenarioLike = "mensi-pilot",
    sets: Settings | None = None,
    *,
    engine: Engine = "compiled",
    threads: int | None = None,
    **options: Unpack[ScenarioOptions],
) -> Comparison:
    """Run every design of a scenario, and ``none``, on common random numbers, at the base parameters and under drawn ones.

    ``sets`` and ``options``: those of ``load_scenario``. ``engine``: compiled, or mesa (the same results, slower). ``threads``: processors
    (default: all), on which no result depends. Raises InputError for bad input. ``analysis.summary`` makes tables of the runs.

    >>> from school_mentoring import compare
    >>> found = compare("mensi-pilot-only", {"world.schools_per_region": 4}, designs="virtual", replicates=4, draws=2, months=24)
    >>> found
    <Comparison of mensi-pilot-only: 2 designs (none, virtual), 96 schools, 24 months; 4 runs a design, and 2 under each of 2 drawn sets>
    >>> found.runs()[["design", "parameter_set", "replicate", "adopters_end"]].head(2)
      design  parameter_set  replicate  adopters_end
    0   none              0          0         216.0
    1   none              0          1         406.0
    """
    loaded = scenarios.load_scenario(scenario, sets, **options)
    runner = chosen_engine(engine)
    with Progress() as progress:
        return run_compare(loaded, engine=runner, threads=threads, stage=progress.show)


@from_python
def simulate(
    scenario: ScenarioLike = "mensi-pilot",
    design: str = "regional_hub",
    sets: Settings | None = None,
    *,
    per_school: bool = False,
    engine: Engine = "compiled",
    threads: int | None = None,
    **options: Unpack[RunOptions],
) -> Simulation:
    """Run one design of a scenario at its base parameters and record it month by month; ``per_school``: every school of every month too.

    ``sets`` and ``options``: those of ``load_scenario``; ``engine`` and ``threads``: those of ``compare``. Raises InputError for bad input.

    >>> from school_mentoring import simulate
    >>> found = simulate("mensi-pilot-only", "virtual", ["world.schools_per_region=4"], replicates=2, months=12)
    >>> found
    <Simulation of mensi-pilot-only: virtual, 96 schools, 12 months; 2 runs>
    >>> monthly = found.monthly()
    >>> monthly[monthly["group"] == "all"].groupby("month")["adopters"].mean().tail(2)
    month
    10    274.5
    11    280.5
    Name: adopters, dtype: float64
    """
    loaded = scenarios.load_design(scenario, design, sets, **options)
    runner = chosen_engine(engine)
    with Progress() as progress:
        return run_simulation(loaded, per_school=per_school, engine=runner, threads=threads, progress=partial(progress.show, "runs"))


@from_python
def sweep(
    scenario: ScenarioLike = "mensi-pilot",
    vary: Sequence[str] | str = (),
    sample: str = "sobol:64",
    sets: Settings | None = None,
    *,
    out: str | Path | None = None,
    random: Literal["common", "independent"] = "common",
    broken_down: bool = False,
    yes: bool = False,
    engine: Engine = "compiled",
    threads: int | None = None,
    **options: Unpack[ScenarioOptions],
) -> Study:
    """Run many parameter sets x designs x replicates into the folder ``out`` (default ``results/<scenario>-sweep``) and open it.

    What is in the folder of this very sweep is kept and completed. ``vary``: names, or ``name=low:high``, of what varies (default: what is
    uncertain); ``sample``: sobol:N, lhs:N, grid:N or table:FILE; ``random``: common, where a replicate draws alike under every set, or
    independent; ``broken_down``: effects and costs by group of schools too; ``yes``: run it however long it takes. The others are those of
    ``compare``. Runs that fail are left out, and ``complete`` of the study is False. Raises InputError for bad input.

    >>> from school_mentoring import sweep
    >>> study = sweep("mensi-pilot-only", "beta", "sobol:4", designs="none,virtual", replicates=2, out="results/beta")
    >>> study
    <Study results/beta: sweep of mensi-pilot-only, 2 designs (none, virtual), 4 parameter sets x 2 replicates>
    >>> study.quantiles("effect_adopter_years").round(0)
        design    mean     sd     q05     q50     q95  n
    0     none  2308.0  272.0  2054.0  2308.0  2562.0  8
    1  virtual  2378.0  271.0  2119.0  2377.0  2649.0  8
    """
    from .sweep.execution import carry_out, open_sweep, plan_with_estimate

    loaded = scenarios.load_scenario(scenario, sets, **options)
    folder = checked_out(study_path(None if out is None else Path(out), loaded.name, "sweep"))
    chosen_engine(engine)
    varied = [vary] if isinstance(vary, str) else vary
    plan, _ = plan_with_estimate(loaded, varied, sample, random=random, chunk=None, yes=yes, threads=threads, broken_down=broken_down)
    store = open_sweep(folder, plan, resume=True)
    with Progress() as progress:
        carry_out(folder, plan, store, engine=engine, threads=threads, progress=partial(progress.show, "runs"))
    return reading.open_study(folder)


@from_python
def mesa_model(
    scenario: ScenarioLike = "mensi-pilot",
    design: str = "regional_hub",
    sets: Settings | None = None,
    *,
    replicate: int = 0,
    school_class: "type[SchoolAgent] | None" = None,
    **options: Unpack[RunOptions],
) -> "MentoringModel":
    """Return a Mesa model of a scenario's design, ready to ``step()``; its schools are those of a replicate of ``compare``.

    ``sets`` and ``options``: those of ``load_scenario``; ``school_class``: a subclass of ``SchoolAgent``. Raises InputError for bad input.

    >>> from school_mentoring import mesa_model
    >>> model = mesa_model("mensi-pilot-only", "virtual", {"world.schools_per_region": 4})
    >>> model.step()
    >>> model
    <MentoringModel: 96 schools, replicate 0, month 1>
    >>> model.datacollector.get_model_vars_dataframe()[["month", "adopters"]]
       month  adopters
    0      0       199
    """
    from school_mentoring.model.agents import SchoolAgent
    from school_mentoring.model.mesa_model import MentoringModel, programme_rows

    agent = SchoolAgent if school_class is None else school_class
    if not (isinstance(agent, type) and issubclass(agent, SchoolAgent)):
        raise InputError("mesa_model(school_class=...)", f"{agent!r} is no class of schools", "allowed: a subclass of SchoolAgent")
    if replicate < 0:
        raise InputError(f"mesa_model(replicate={replicate})", "is below 0", "allowed: 0 or more")
    loaded = scenarios.load_design(scenario, design, sets, **options)
    parameters = loaded.base_parameters()
    world, schools = Worlds(loaded).get(parameters, replicate % loaded.worlds)
    own = {name: value for name, value in parameters.items() if name in PARAMETERS}
    window = loaded.programme.first_month, loaded.programme.last_month
    rows = programme_rows(loaded.designs[design], window, schools.places)
    model = MentoringModel(world, loaded.practice_arrays(), rows, own, seed=loaded.seed, replicate=replicate, school_class=agent)
    model.set_factors([parameters[salary_factor(code)] for code in schools.country_codes])
    return model
