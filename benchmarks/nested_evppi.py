"""Check the value of information by regression against nested Monte Carlo on the model itself, without any regression.

``python -m benchmarks.nested_evppi [PARAMETER] [OUTER] [INNER]`` varies the behaviour and cost parameters of the pilot and contrasts no
programme, outreach and regional hub at 1,000 EUR per adopter-year.
"""

import sys
import time

import numpy as np
import pandas as pd

from school_mentoring.analysis.economics.psa import HEADLINE, Sample, psa_sample
from school_mentoring.analysis.economics.value_of_information import evpi, evppi
from school_mentoring.experiments.ensemble import run_ensemble
from school_mentoring.experiments.variables import sample, uncertain_variables
from school_mentoring.experiments.worlds import Worlds
from school_mentoring.model.parameters import row_of
from school_mentoring.scenarios import load_scenario

REPLICATES = 2
SETS = 512


def nested_evppi(benefit: pd.DataFrame) -> tuple[float, float]:
    """Return the EVPPI by nested Monte Carlo, without any regression, and its standard error: the check of ``evppi``.

    ``benefit``: net benefits in EUR, a column per design; index level ``outer``: the values of the parameters of interest, drawn; below it
    draws of all other parameters given those. The maximum over means of few inner draws is biased upwards; the bias is taken off by the
    jackknife over inner draws in halves: 2 V(all) - mean of V(halves).
    """
    outer = benefit.groupby(level="outer")
    if outer.size().min() < 4:
        raise ValueError("nested Monte Carlo needs at least four inner draws for each outer one")
    if not np.isfinite(benefit.to_numpy(np.float64)).all():
        raise ValueError("a net benefit is not a finite number")
    means = outer.mean().to_numpy(np.float64)
    best = int(np.argmax(means.mean(axis=0)))
    position = outer.cumcount().to_numpy()
    halves = [benefit[position % 2 == side].groupby(level="outer").mean().to_numpy(np.float64) for side in (0, 1)]
    gains = [part.max(axis=1) - part[:, best] for part in (means, *halves)]
    loss = 2 * gains[0] - (gains[1] + gains[2]) / 2
    return max(0.0, float(loss.mean())), float(loss.std(ddof=1) / np.sqrt(len(loss)))


def main(parameter: str = "beta", outer: int = 64, inner: int = 64) -> None:
    """Print the EVPPI of a parameter by regression and by nested Monte Carlo, each with its standard error."""
    scenario = load_scenario("mensi-pilot", [], designs=["none", "outreach", "regional_hub"])
    variables = [
        v
        for v in uncertain_variables(scenario.model_copy(update={"ranges": "independent"}))
        if (row := row_of(v.name)) and row.group in ("behaviour", "cost")
    ]
    mine = [v for v in variables if v.name == parameter]
    others = [v for v in variables if v.name != parameter]
    worlds = Worlds(scenario)

    def drawn(sets: pd.DataFrame) -> Sample:
        runs = run_ensemble(scenario, sets.to_dict("records"), REPLICATES, worlds=worlds).runs
        return psa_sample(runs, sets.assign(parameter_set=range(len(sets))))

    started = time.perf_counter()
    whole = drawn(sample(f"lhs:{SETS}", variables, scenario.seed))
    row = evppi(whole, HEADLINE, {parameter: [parameter]}).iloc[0]
    print(f"EVPI {evpi(whole, HEADLINE).value:,.0f} EUR ({SETS} sets)")
    print(f"{parameter}: regression {row['value']:,.0f} +- {row['se']:,.0f} EUR; {time.perf_counter() - started:.0f} s")
    started = time.perf_counter()
    values = sample(f"sobol:{outer}", mine, scenario.seed + 1)
    parts = []
    for k, value in enumerate(values[parameter]):
        sets = sample(f"sobol:{inner}", others, scenario.seed + 2 + k).assign(**{parameter: value})
        benefit = drawn(sets).net_benefit(HEADLINE)
        parts.append(benefit.set_axis(pd.MultiIndex.from_product([[k], np.arange(inner)], names=["outer", "inner"])))
    found, se = nested_evppi(pd.concat(parts))
    print(f"{parameter}: nested {found:,.0f} +- {se:,.0f} EUR ({outer} x {inner}); {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:4]))
