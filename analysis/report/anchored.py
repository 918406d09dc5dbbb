"""What is said of anchored draws: how many sets were tried for them, which anchor refuses most, and how many pass again."""

from collections.abc import Mapping, Sequence
from typing import Any


def anchored_lines(about: Mapping[str, Any]) -> Sequence[str]:
    """Return it in lines; ``about``: as ``experiments.anchors.search.FoundDraws`` has it."""
    draws, again, held = about["accepted"], about["again"]["passed"], about["again"]["held"]
    share = 100.0 * draws / about["tried"]
    first = ", ".join(f"{key} {count:,}" for key, count in _falling(about["refused_first"]))
    of_all = ", ".join(f"{key} {100 * count / about['held_to_all']:.0f} %" for key, count in _falling(about["refused_of_all"]))
    lines = [
        f"{draws:,} of {about['tried']:,} sets meet all anchors that decide ({share:.1f} %)",
        f"First to refuse, in the order in which they are held: {first}",
        f"Of {about['held_to_all']:,} sets that were held to all, refused by: {of_all}",
        f"Held again with other random numbers and worlds, {again:,} of {held:,} draws pass ({100 * again / held:.0f} %)",
    ]
    for name, words in about["structures"].items():
        parts = ", ".join(f"{word} {passed:,} of {tried:,}" for word, (tried, passed) in words.items())
        lines.append(f"Accepted by {name}: {parts}")
    return lines


def _falling(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((key, count) for key, count in counts.items() if count), key=lambda pair: -pair[1])
