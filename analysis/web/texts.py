"""The page's English texts, from ``texts.toml``: one file, ready for translation."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))


def text(key: str, **values: Any) -> str:
    """Return the text of a key such as ``form.name``, with ``values`` in its braces. Raises KeyError for a key that is none."""
    section, name = key.split(".")
    return _texts()[section][name].format(**values)
