"""The structure of a world: choices of how to build the model that evidence does not decide, each with alternatives to try.

A choice changes which model is run, not a number in it; ``scenarios.schema.WorldSpec`` has a field for each.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Network = Literal["spatial_homophily", "configuration", "small_world", "nearest"]
Update = Literal["synchronous", "sequential"]
Likeness = Literal["traits", "capacity", "level_and_capacity"]
Contacts = Literal["add", "share", "none"]
Mentored = Literal["team", "whole_staff"]
OnlineHours = Literal["fixed", "fading"]

STRUCTURE: Mapping[str, Mapping[str, str]] = {
    "network": {
        "spatial_homophily": "Peers are drawn by distance and likeness",
        "configuration": "The degrees of spatial_homophily, partners at random (Maslov & Sneppen 2002)",
        "small_world": "nearest, with each tie rewired at random with chance 0.1 (Watts & Strogatz 1998)",
        "nearest": "Each school in turn is tied to the nearest schools that it is not tied to",
    },
    "update": {
        "synchronous": "All teachers decide on the shares at the start of the month",
        "sequential": "Schools take turns, in an order drawn anew each month, and see the shares already changed",
    },
    "likeness": {
        "traits": "Unlikeness counts the traits that differ among level, rural and disadvantaged",
        "capacity": "Unlikeness counts quarters of digital capacity apart",
        "level_and_capacity": "Unlikeness counts the level, if it differs, and thirds of digital capacity apart",
    },
    "contacts": {
        "add": "Contacts that mentoring made add to what a school sees of its peers",
        "share": "They share its attention: a contact that does not use the practice lowers what it sees",
        "none": "Mentoring makes no contacts, nor does a community",
    },
    "mentored": {
        "team": "A team of the design's size is mentored, and pays in hours",
        "whole_staff": "All teachers of a school are mentored, and pay in hours",
    },
    "online_hours": {
        "fixed": "An online hour of a tie is always worth virtual_fidelity of one face to face",
        "fading": "It is worth as much for a year, then less, in a straight line to 2 virtual_fidelity - 1 after three years",
    },
}
"""What each choice may be, and what it means; the first is the default."""

WORLD_WORDS: Mapping[str, tuple[str, ...]] = {f"world.{field}": tuple(words) for field, words in STRUCTURE.items()}
"""The words of each choice by its key in a scenario, as a column of parameter sets has it."""


class Structure(NamedTuple):
    """The choices that a world is made by; the meaning of each word stands in ``STRUCTURE``."""

    network: Network = "spatial_homophily"
    update: Update = "synchronous"
    likeness: Likeness = "traits"
    contacts: Contacts = "add"
    mentored: Mentored = "team"
    online_hours: OnlineHours = "fixed"
