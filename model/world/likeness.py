"""Which schools are alike: the bits by which a world's measure compares them."""

import numpy as np
from numpy.typing import NDArray

from .arrays import SECONDARY
from .schools import Schools
from .structure import Likeness


def likeness_bits(schools: Schools, measure: Likeness) -> NDArray[np.uint8]:
    """Return three bits of each school, (n,); the number that differ is the unlikeness of two schools, 0 to 3, whatever the measure.

    ``traits``: level, rural, disadvantaged. ``capacity``: the quarter of the world's schools by digital capacity. ``level_and_capacity``:
    level, and the third by digital capacity. A part of a ranking is coded by as many ones as parts are below it, so parts k apart differ
    in k bits. Schools of equal capacity are in one part.
    """
    if measure == "traits":
        return schools.traits
    if measure == "capacity":
        return _part(schools.capacity, 4)
    return ((schools.traits & SECONDARY) | (_part(schools.capacity, 3) << 1)).astype(np.uint8)


def _part(values: NDArray[np.float64], parts: int) -> NDArray[np.uint8]:
    """Return (1 << k) - 1 for values in part k of ``parts`` of equal size, in ascending order."""
    below = np.searchsorted(np.sort(values), values)
    return ((1 << (parts * below // len(values))) - 1).astype(np.uint8)
