"""What partial pooling makes of countries: how parameters differ between them, and how much of that is the prior's."""

from typing import Any

import numpy as np
import pandas as pd

from .posterior import SPREAD, Posterior, Problem


def countries_of(problem: Problem, posterior: Posterior) -> pd.DataFrame:
    """Return the posterior of pooled parameters by country, and of how far countries differ, beside what the prior says of that."""
    if posterior.country_values is None or posterior.spread is None:
        return pd.DataFrame()
    from scipy.special import ndtri

    levels = np.array([0.05, 0.5, 0.95])
    rows: list[tuple[Any, ...]] = []
    for k, name in enumerate(problem.pooled):
        values = posterior.country_values[:, :, problem.prior.names.index(name)]
        rows += [(name, code, *np.quantile(values[:, c], levels)) for c, code in enumerate(problem.schools.country_codes)]
        rows.append((name, "spread between countries", *np.quantile(posterior.spread[:, k], levels)))
        # Quantiles of the half-normal prior of that spread: what a few countries hardly change is the prior's.
        rows.append((name, "spread, prior", *(SPREAD * ndtri(0.5 * (1.0 + levels)))))
    return pd.DataFrame(rows, columns=["parameter", "country", "low", "median", "high"])
