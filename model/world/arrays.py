"""A world as plain arrays, which both engines read: schools in countries and regions, their peer network, the practices that spread."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
"""What adds up, and where rows start."""
Ints = NDArray[np.int32]
"""Ints numbers of schools: counts of persons, and numbers of schools, regions and countries."""
Index = int | np.int64
"""A school's number; one read from ``Ints`` is made as wide as one that is counted, so that what it is handed to is compiled once."""
Codes = NDArray[np.int8]
Bits = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Replicates = NDArray[np.uint32]
Records = NDArray[np.void]
"""Rows of ``parameter_table`` or ``design_table``."""
Record = Any
"""One row of a ``Records``, whose fields compiled code reads by name."""

SECONDARY, RURAL, DISADVANTAGED = 1, 2, 4
"""The bits of ``World.traits``."""

ADD, SHARE, NO_CONTACTS = range(3)
"""The values of ``World.contacts``, in the order of ``structure.STRUCTURE``."""


class World(NamedTuple):
    """Schools (n), regions (R), countries (C) and peer ties (m entries, a tie twice where each school looks at the other) as arrays.

    ``country``, ``region``: index of each school's country and region, int32 (n,).
    ``region_country``: the country of each region, int32 (R,).
    ``by_region``, ``region_start``: schools listed region by region, int32 (n,); region r is ``by_region[region_start[r]:region_start[r +
    1]]``. ``x``, ``y``: position in km within the country, float64 (n,).
    ``traits``: bits SECONDARY, RURAL, DISADVANTAGED, uint8 (n,).
    ``teachers``, ``pupils``: counts, int32 (n,); teachers from 1 to 1000.
    ``capacity``, ``openness``: in [0, 1], float64 (n,).
    ``capacity_rank``: 0 for the school with the largest capacity in the world, int32 (n,); ties by position in the table.
    ``peer_start``, ``peer``: the exposure matrix in compressed rows, int64 (n + 1,), int32 (m,); columns ascend within a row. An entry is
    ``row_weight``, of its row, float64 (n,), times ``weight``, float64 (m,), of which there is none, (0,), where all ties of a school weigh
    the same; a row sums to 1 at most.
    ``adopters_at_start``: adopting teachers per practice where the user gave them, else -1, int32 (P, n).
    ``named_role``: role a pilot gave a school: 0 none, 1 mentor, 2 mentee, int8 (n,).
    ``named_mentor``: the mentor a pilot gave a mentee, else -1, int32 (n,).
    ``salary``: gross salary of a teacher by country, EUR per year; ``taught_hours``, ``working_hours``: hours a teacher teaches and works
    in a year by country, float64 (C,).
    ``likeness``: bits by which schools are compared, as ``likeness.likeness_bits`` gives them, uint8 (n,).
    ``sequential``: whether schools take turns within a month, and see the shares already changed.
    ``contacts``: what contacts do, ADD, SHARE or NO_CONTACTS. ``whole_staff``: whether all teachers of a school are its team.
    ``fading``: whether the worth of an online hour falls with the age of a tie.
    """

    country: Ints
    region: Ints
    region_country: Ints
    by_region: Ints
    region_start: Counts
    x: Floats
    y: Floats
    traits: Bits
    teachers: Ints
    pupils: Ints
    capacity: Floats
    openness: Floats
    capacity_rank: Ints
    peer_start: Counts
    peer: Ints
    row_weight: Floats
    weight: Floats
    adopters_at_start: Ints
    named_role: Codes
    named_mentor: Ints
    salary: Floats
    taught_hours: Floats
    working_hours: Floats
    likeness: Bits
    sequential: bool
    contacts: int
    whole_staff: bool
    fading: bool


class Practices(NamedTuple):
    """The practices of a scenario (P) as arrays.

    ``difficulty``: readiness is divided by it, float64 (P,). ``weight``: share of mentoring time, sums to 1, float64 (P,).
    ``initial_share``: share of teachers at the start in a school of mean capacity, or -1 for the parameter's value, float64 (P,).
    """

    difficulty: Floats
    weight: Floats
    initial_share: Floats
