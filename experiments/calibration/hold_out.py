"""What ``--hold-out`` holds out: waves that are forecast from those before, clusters or schools that are predicted from the others."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.world.arrays import Flags

from .survey import Groups, Survey

ALLOWED = {
    "wave": "wave=last or wave=N (the N-th)",
    "last": "last=K (the last K waves)",
    "after": "after=MONTH (all later waves; or a date)",
    "rolling": "rolling=K (from each of the K waves before the last, all later ones)",
    "clusters": "clusters=SHARE or clusters=each",
    "schools": "schools=SHARE",
}
ANY = f"allowed: {', '.join(ALLOWED.values())}"


class Split(NamedTuple):
    """Observations that are held out together, (W, n), from a fit to all others."""

    name: str
    held: Flags


def splits_of(text: str, survey: Survey, groups: Groups, seed: int, month_of: Callable[[str], int]) -> list[Split]:
    """Return what a ``--hold-out`` holds out, fit by fit. ``month_of``: the month that a number or a date means.

    Raises InputError where it names nothing, or leaves nothing.
    """
    where = f"--hold-out {text}"
    what, _, value = (part.strip() for part in text.partition("="))
    if what not in ALLOWED:
        raise InputError(where, f"names nothing that can be held out; {nearest(what, ALLOWED)}", ANY)
    allowed = f"allowed: {ALLOWED[what]}"
    if what in ("clusters", "schools"):
        splits = _schools(where, what, value, allowed, survey, groups, seed)
    else:
        splits = _waves(where, what, value, allowed, survey, month_of)
    splits = [split._replace(held=split.held & survey.seen) for split in splits]
    for split in splits:
        if not split.held.any():
            raise InputError(where, "holds no observation", allowed)
        if not (survey.seen & ~split.held).any():
            raise InputError(where, "leaves no observation to fit to", "hold out less")
    return splits


def _waves(where: str, what: str, value: str, allowed: str, survey: Survey, month_of: Callable[[str], int]) -> list[Split]:
    """Return the splits in time: of a single wave, or of all after a month."""
    month = np.array(survey.months)
    months = sorted(set(survey.months))

    def after(cut: int) -> Split:
        return Split(f"after month {cut}", np.zeros_like(survey.seen) | (month > cut)[:, None])

    if what == "after":
        cut = month_of(value)
        if not months[0] <= cut < months[-1]:
            raise InputError(where, f"waves are seen from month {months[0]} to {months[-1]}", f"{allowed}, with waves on either side")
        return [after(cut)]
    if what == "wave":
        if value != "last" and not (value.isdecimal() and 1 <= int(value) <= len(months)):
            raise InputError(where, f"there are {len(months)} waves", allowed)
        one = months[-1] if value == "last" else months[int(value) - 1]
        return [Split(f"month {one}", np.zeros_like(survey.seen) | (month == one)[:, None])]
    if not (value.isdecimal() and 1 <= int(value) < len(months)):
        raise InputError(where, f"there are {len(months)} waves", f"{allowed}, K from 1 to {len(months) - 1}")
    count = int(value)
    return [after(months[-1 - k]) for k in (range(count, 0, -1) if what == "rolling" else (count,))]


def _schools(where: str, what: str, value: str, allowed: str, survey: Survey, groups: Groups, seed: int) -> list[Split]:
    """Return the splits by schools: of a share of schools or clusters, or of each cluster in turn."""
    asked: Flags = np.asarray(survey.seen.any(axis=0))
    units = groups.clusters if what == "clusters" else {str(i): np.arange(len(asked)) == i for i in np.flatnonzero(asked)}
    units = {name: member & asked for name, member in units.items() if (member & asked).any()}
    everywhere = np.zeros_like(survey.seen)
    if what == "clusters" and value == "each":
        if len(units) < 2:
            raise InputError(where, "there is one cluster", "allowed: schools=SHARE")
        return [Split(name, everywhere | member) for name, member in units.items()]
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if not 0.0 < share < 1.0:
        raise InputError(where, f"is no share of the {what}", allowed)
    held, target = np.zeros_like(asked), share * asked.sum()
    for name in np.random.default_rng(seed).permutation(sorted(units)).tolist():
        if held.sum() + 0.5 * units[name].sum() <= target:  # with it the share is nearer to the one that is asked for
            held = held | units[name]
    if not held.any():
        least = min(int(member.sum()) for member in units.values())
        instead = "schools=SHARE" if what == "clusters" else "a larger share"
        raise InputError(where, f"the smallest holds {100 * least / asked.sum():.0f} % of the schools", f"allowed: {instead}")
    return [Split(f"{int(held.sum())} schools", everywhere | held)]
