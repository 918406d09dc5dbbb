"""Hold the acceptability curve, the EVPI and the ratio of a published sample against what its authors print.

The sample is the influenza vaccination of the R package BCEA (Baio, Berardi & Heath; 1,000 simulations, two strategies), not shipped here.
Export it once in R:

    data(Vaccine, package = "BCEA"); write.csv(cbind(cost, eff), "vaccine.csv", row.names = FALSE)

and run `python -m benchmarks.published_sample vaccine.csv`. The figures are those that BCEA prints in its vignette on setting
parameters, for willingnesses to pay from 0 in steps of 100.
"""

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd

from school_mentoring.analysis.economics.acceptability import acceptability, best_by_willingness, incremental
from school_mentoring.analysis.economics.psa import Sample
from school_mentoring.analysis.economics.value_of_information import evpi

STRATEGIES = ["status quo", "vaccination"]
PRINTED = {
    "probability that status quo is best": "0.98 0.978 0.977 0.977 0.977 0.976 0.976 0.975 0.975 0.973",
    "net benefit of status quo less that of vaccination": "5.04 5.01 4.99 4.96 4.94",
    "expected value of perfect information": "0.0562 0.0573 0.0586 0.0598 0.0611",
    "ICER of vaccination": "20098",
    "first willingness to pay in steps of 100 at which vaccination is best": "20100",
}


def read(path: str) -> Sample:
    """Return the sample of a CSV file with two columns of costs and two of effects, status quo first."""
    table = pd.read_csv(path)
    if table.shape[1] != 2 * len(STRATEGIES):
        raise SystemExit(f"{path}: {table.shape[1]} columns where two of costs and two of effects are expected")
    index = pd.MultiIndex.from_product([range(len(table)), [0]], names=["parameter_set", "replicate"])
    costs, effects = (pd.DataFrame(part.to_numpy(), index=index, columns=STRATEGIES) for part in (table.iloc[:, :2], table.iloc[:, 2:]))
    return Sample(costs, effects, pd.DataFrame(index=pd.RangeIndex(len(table), name="parameter_set")))


def found(sample: Sample) -> dict[str, Sequence[float]]:
    """Return what `PRINTED` lists."""
    grid = 100.0 * np.arange(10)
    table = acceptability(sample, grid).pivot(index="willingness_to_pay", columns="design", values=["probability_best", "net_benefit"])
    benefit = table["net_benefit"]
    ratio = incremental(sample, "status quo").set_index("design").at["vaccination", "icer"]
    since = best_by_willingness(sample).set_index("design").at["vaccination", "from"]
    values = (
        table["probability_best"]["status quo"].tolist(),
        (benefit["status quo"] - benefit["vaccination"]).tolist(),
        [evpi(sample, k).value for k in grid],
        [ratio],
        [100.0 * np.ceil(since / 100.0)],
    )
    return dict(zip(PRINTED, values, strict=True))


def main(path: str) -> int:
    """Print each figure beside the printed one; return how many lines differ."""
    wrong = 0
    for name, values in found(read(path)).items():
        printed = PRINTED[name].split()
        # As many decimals as were printed.
        ours = [f"{value:.{len(text.partition('.')[2])}f}" for value, text in zip(values, printed, strict=False)]
        wrong += ours != printed
        print(f"{name}\n  printed {' '.join(printed)}\n  here    {' '.join(ours)}{'' if ours == printed else '   DIFFERS'}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
