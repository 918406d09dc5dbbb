"""What is held out of a fit, to be predicted: a wave, or some of the clusters."""

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError

from .groups import Groups
from .survey import Survey

ALLOWED = "allowed: wave=last, wave=N (the N-th), or clusters=SHARE, for example clusters=0.2"


def held_out(text: str, survey: Survey, groups: Groups, seed: int) -> NDArray[np.bool_]:
    """Return the cells (W, n) that a ``--hold-out`` holds out. Raises InputError where it names nothing, or leaves nothing."""
    what, _, value = text.partition("=")
    held = np.zeros_like(survey.seen)
    if what == "wave":
        months = sorted(set(survey.months))
        if value != "last" and not (value.isdecimal() and 1 <= int(value) <= len(months)):
            raise InputError(f"--hold-out {text}", f"there are {len(months)} waves", ALLOWED)
        month = months[-1] if value == "last" else months[int(value) - 1]
        held[[m == month for m in survey.months]] = True
    elif what == "clusters":
        try:
            share = float(value)
        except ValueError:
            share = 0.0
        if not 0.0 < share < 1.0:
            raise InputError(f"--hold-out {text}", "is no share of the clusters", ALLOWED)
        names = sorted(groups.clusters)
        count = round(share * len(names))
        if not 0 < count < len(names):
            raise InputError(
                f"--hold-out {text}", f"is {count} of {len(names)} clusters", "allowed: a share that leaves some on either side"
            )
        for name in np.random.default_rng(seed).permutation(names)[:count].tolist():
            held[:, groups.clusters[name]] = True
    else:
        raise InputError(f"--hold-out {text}", "names nothing that can be held out", ALLOWED)
    held &= survey.seen
    if not held.any():
        raise InputError(f"--hold-out {text}", "holds no observation", ALLOWED)
    return held
