"""Loads a scenario: a YAML file, the files it extends, and what the command line sets, as one checked ``Scenario``.

Whatever the input, the result is a ``Scenario`` or an ``InputError`` that names file and line.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pydantic import ValidationError

from school_mentoring.model.designs import FIELDS, PRESETS
from school_mentoring.model.errors import InputError, nearest, quoted
from school_mentoring.model.parameters import PARAMETERS, country_of, row_of, salary_factor
from school_mentoring.model.world.countries import COUNTRIES
from school_mentoring.model.world.numbers import Bounds, refuse_two
from school_mentoring.model.world.structure import STRUCTURE

from .fields import NAME_PATTERN
from .funding import Funding
from .gone import refusal
from .merge import as_mapping, lay_over
from .messages import input_error, shown, typed
from .posterior import fitted_draws
from .schema import WITHOUT_FILES, Scenario
from .stated_programmes import is_programme, settable, with_fields
from .yaml_file import KeyPath, Layer, parse_yaml, plain_scalar, read_yaml, write_yaml

SHIPPED = Path(__file__).parent
LONGEST_PATH = 500
LONGEST_CHAIN = 20
IDENTITY = ("name", "title", "description")
NUMBERS = ("seed", "months", "replicates", "draws")
FILE_KEYS = ("schools", "ties")
"""What of a world may be read from files of the user's own."""
OWN_FILES: tuple[tuple[str, ...], ...] = (("posterior",), *(("world", key) for key in FILE_KEYS))
SETTABLE = (
    *(*NUMBERS, "worlds", "ranges"),
    *(f"programme.{field}" for field in Funding.model_fields),
    *(f"world.{field}" for field in ("regions_per_country", "schools_per_region", *STRUCTURE, *FILE_KEYS)),
)
"""What ``--set`` may assign besides parameters and the fields of designs."""

ScenarioLike = Scenario | str | Path
"""A scenario, its file, or the name of a shipped one."""

Settings = Mapping[str, object] | Sequence[str] | str
"""What is set of a scenario: ``{"p": 0.01, "regional_hub.stipend": 3000}``, or texts such as ``["p=0.01"]``."""


class RunOptions(TypedDict, total=False):
    """What else may differ from the scenario as it is stated; ``None`` changes nothing.

    ``schools`` and ``ties`` are files, relative to the working directory; ``encoding`` and ``columns`` (``{"school_id": "URN"}``, or texts
    such as ``school_id=URN,teachers=Staff``) say how they are written. ``keep_inputs``: whether studies keep copies of them.
    """

    replicates: int | None
    draws: int | None
    seed: int | None
    months: int | None
    schools: str | Path | None
    ties: str | Path | None
    encoding: str | None
    columns: Settings | None
    keep_inputs: bool | None


class ScenarioOptions(RunOptions, total=False):
    """The same, and which designs are kept: names as a list, or separated by commas. Presets that the scenario lacks may be named."""

    designs: Sequence[str] | str | None


def load_scenario(scenario: ScenarioLike, sets: Settings | None = None, **options: Unpack[ScenarioOptions]) -> Scenario:
    """Return a scenario, checked: that of a YAML file or of a shipped name, or one at hand, with what is set of it.

    ``sets`` names parameters (``p``), fields of designs (``regional_hub.stipend``) and fields of the world
    (``world.schools_per_region``) with their values, as ``--set`` does; a text may hold several, apart by spaces or commas. ``options``:
    those of ``ScenarioOptions``, as replicates, seed, designs. Raises InputError for what is faulty, naming file and line.

    >>> from school_mentoring import load_scenario
    >>> load_scenario("mensi-pilot-only", {"q_out": 0.06}, designs="none,virtual", months=48)
    <Scenario mensi-pilot-only: 6 countries, 48 months, 2 designs (none, virtual), 100 replicates, seed 1>
    """
    return _loaded(scenario, sets, "--designs", options.pop("designs", None), options)


def load_design(scenario: ScenarioLike, design: str, sets: Settings | None = None, **options: Unpack[RunOptions]) -> Scenario:
    """Return a scenario as ``load_scenario`` does, with one design alone, which ``--design`` names. Raises InputError for several."""
    loaded = _loaded(scenario, sets, "--design", design, options)
    if len(loaded.designs) > 1:
        raise InputError(typed("--design", design), "names several designs", "allowed: one")
    return loaded


def _loaded(
    scenario: ScenarioLike, sets: Settings | None, option: str, designs: Sequence[str] | str | None, options: RunOptions
) -> Scenario:
    if isinstance(scenario, Scenario):
        layer, source = Layer(resolved(scenario), {}), f"the scenario {scenario.name}"
    else:
        path = _find(scenario)
        layer, source = _read_chain(path, ()), str(path)
        layer.values.setdefault("name", _slug(path.stem))
    if designs is not None:
        layer = lay_over(layer, _chosen_designs(option, designs, layer))
    layer = lay_over(layer, _assignments(sets or (), layer))
    return _checked(lay_over(layer, _options(options)), source)


def uploaded_scenario(data: bytes, name: str) -> Scenario:
    """Return the scenario of a file ``name`` from elsewhere: it may extend a shipped one, and names no other file. Raises InputError."""
    path = Path(Path(name).name or "scenario.yaml")
    layer = parse_yaml(data, path)
    parent = layer.values.get("extends")
    if parent is not None and parent not in shipped_scenarios():
        allowed = nearest(str(parent), shipped_scenarios())
        raise InputError(f"{layer.places['extends',]}, extends", f"no shipped scenario {shown(parent)}", allowed)
    for at in OWN_FILES:
        named = _file_at(layer, at)
        if named is not None:
            where = f"{layer.places[at]}, {'.'.join(at)}"
            raise InputError(where, f"{shown(named)} cannot be read from here", "take the line out; schools go up as a file of their own")
    below = Layer({}, {}) if parent is None else _read_chain(SHIPPED / f"{layer.values.pop('extends')}.yaml", ())
    layer.values.setdefault("name", _slug(path.stem))
    return _checked(_extended(below, layer), str(path))


def scenario_from(values: Mapping[str, Any], source: str, *, files: bool = True) -> Scenario:
    """Return the scenario that ``resolved`` described; ``source``: where it stands; ``files``: whether those named must be there."""
    world = values.get("world")
    layer = Layer({**values, "world": dict(world)} if isinstance(world, Mapping) else dict(values), {})
    return _checked(_with_absolute_paths(layer, Path(source).parent), source, files=files)


def resolved(scenario: Scenario) -> dict[str, Any]:
    """Return the full description with every default written out, ready for JSON; ``scenario_from`` reads it back."""
    return scenario.model_dump(mode="json")


def dump_yaml(scenario: Scenario) -> str:
    """Return the full description as YAML that ``load_scenario`` reads back."""
    return write_yaml(resolved(scenario))


def shipped_scenarios() -> tuple[str, ...]:
    """Return the names of the scenarios that come with the program."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def _find(path_or_name: str | Path, stated_in: str = "", folder: Path | None = None) -> Path:
    """Return the file that a path, relative to ``folder``, or a shipped name means."""
    path = folder / path_or_name if folder else Path(path_or_name)
    try:
        exists = path.exists()
    except (OSError, ValueError):  # a name that no file can have
        exists = False
    if exists and path.is_file():
        return path
    if str(path_or_name) in shipped_scenarios():
        return SHIPPED / f"{path_or_name}.yaml"
    given = shown(str(path_or_name), LONGEST_PATH)
    if exists or path.suffix in (".yaml", ".yml"):
        problem = f"{given} is not a file" if exists else "no such file"
        raise InputError(stated_in or given, problem, "allowed: a YAML file or the name of a shipped scenario")
    allowed = f"{nearest(str(path_or_name), shipped_scenarios())} or the path of a YAML file"
    raise InputError(stated_in or given, f"no scenario {given}", allowed)


def _read_chain(path: Path, readers: tuple[Path, ...]) -> Layer:
    """Return a file laid over the files it extends."""
    layer = _with_absolute_paths(read_yaml(path), path.parent)
    parent_name = layer.values.pop("extends", None)
    if parent_name is None:
        return lay_over(Layer({}, {}), layer)
    where = f"{layer.places['extends',]}, extends"
    if not isinstance(parent_name, str):
        raise InputError(where, f"{shown(parent_name)} is not a file name", "allowed: a YAML file or the name of a shipped scenario")
    parent = _find(parent_name, where, path.parent)
    chain = (*readers, path)
    if parent.resolve() in [reader.resolve() for reader in chain]:
        raise InputError(where, "a scenario cannot extend itself: " + " -> ".join(str(reader) for reader in (*chain, parent)))
    if len(chain) == LONGEST_CHAIN:
        raise InputError(where, f"more than {LONGEST_CHAIN} files extend each other")
    return _extended(_read_chain(parent, chain), layer)


def _extended(below: Layer, layer: Layer) -> Layer:
    """Return a file laid over what it extends, of which it inherits all but the identity."""
    return lay_over(below._replace(values={key: value for key, value in below.values.items() if key not in IDENTITY}), layer)


def _with_absolute_paths(layer: Layer, folder: Path) -> Layer:
    """Resolve data files against the folder of the scenario that states them."""
    for at in OWN_FILES:
        named = _file_at(layer, at)
        if isinstance(named, str) and named:
            _put(layer.values, at, str(folder.absolute() / named))
    return layer


def _file_at(layer: Layer, at: tuple[str, ...]) -> Any:
    """Return what a source states for one of ``OWN_FILES``, None where it states nothing."""
    section = layer.values if len(at) == 1 else layer.values.get("world")
    return section.get(at[-1]) if isinstance(section, dict) else None


def _chosen_designs(option: str, chosen: Sequence[str] | str, layer: Layer) -> Layer:
    names = [name.strip() for name in chosen.split(",") if name.strip()] if isinstance(chosen, str) else chosen
    if not names:
        raise InputError(option, "names no design", "allowed: names separated by commas" if option == "--designs" else "allowed: one name")
    known = list(dict.fromkeys([*_designs_of(layer), *PRESETS]))
    if strange := [name for name in names if name not in known]:
        raise InputError(typed(option, ",".join(strange)), f"no design named {quoted(strange)}", nearest(strange, known))
    if twice := [name for at, name in enumerate(names) if name in names[:at]]:
        raise InputError(typed(option, ",".join(names)), f"the design {twice[0]!r} is named twice", "allowed: each once")
    return Layer({"designs": list(names)}, {("designs",): typed(option, ",".join(names))})


def _assignments(sets: Settings, layer: Layer) -> Layer:
    """Return what ``--set`` assigns as a source of its own; where two assign the same, the later wins."""
    targets = _targets(layer)
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    stated = {assignment: assignment.partition("=") for assignment in assignments(sets)}
    for assignment, (name, equals, _) in stated.items():
        if not equals or not name:
            raise InputError(typed("--set", assignment), "not an assignment", "allowed: name=value, for example p=0.01")
    targets |= {name: ("parameters", name) for name, *_ in stated.values() if country_of(name)}  # checked with the countries
    if strange := {name: assignment for assignment, (name, *_) in stated.items() if name not in targets}:
        where = typed("--set", " ".join(strange.values()))
        raise InputError(where, *refusal([*strange], "nothing named {} can be set", targets)[1:])
    for assignment, (name, _, typed_word) in stated.items():
        where, path = typed("--set", assignment), targets[name]
        word = typed_word.strip(" \t\r\n,")
        if not isinstance(sets, Mapping):  # whose values are numbers, not words
            for part in word.split(":"):
                refuse_two(where, part, _bounds(path))
        if len(path) > 3 and path[1] not in values.setdefault("designs", {}):  # a programme, whose other phases and places stay
            values["designs"][path[1]] = with_fields(_designs_of(layer)[str(path[1])])
            places |= {at: place for at, place in layer.places.items() if at[:2] == path[:2]}
        _put(values, path, _value(where, path, word))
        places[path] = where
    return Layer(values, places)


def assignments(sets: Settings) -> list[str]:
    """Return each NAME=VALUE of what ``--set`` takes, of which one text may hold several."""
    return [assignment for text in _texts(sets) for assignment in re.split(r"[\s,]+(?=[^\s,=]+=)", text.strip())]


def _texts(sets: Settings) -> Iterable[str]:
    if isinstance(sets, Mapping):
        return [f"{name}={'null' if value is None else value}" for name, value in sets.items()]
    return [sets] if isinstance(sets, str) else sets


def _targets(layer: Layer) -> dict[str, KeyPath]:
    return {
        **{name: ("parameters", name) for name in (*PARAMETERS, *map(salary_factor, COUNTRIES))},
        **{name: tuple(name.split(".")) for name in SETTABLE},
        **{_dotted(path): path for path in _of_designs(layer)},
    }


def _of_designs(layer: Layer) -> Iterator[KeyPath]:
    """Yield what may be set of designs: the fields of plain ones, those of phases, places and gates of programmes."""
    for name, stated in _designs_of(layer).items():
        within = settable(stated) if is_programme(stated) else ((field,) for field in FIELDS)
        yield from (("designs", name, *path) for path in within)


def _dotted(path: KeyPath) -> str:
    """Return the name by which ``--set`` knows a field of a design."""
    return ".".join(str(step) for step in path[1:])


def _designs_of(layer: Layer) -> dict[str, Any]:
    designs = as_mapping(layer.values.get("designs"))
    return designs if isinstance(designs, dict) else {}


def _bounds(path: KeyPath) -> Bounds:
    """Return what a setting may be; all but parameters and fields of designs and gates are whole numbers."""
    if path[-1] in ("at_least", "survey_cost"):
        return Bounds(0.0, math.inf, "")
    row = row_of(str(path[1])) if path[0] == "parameters" else FIELDS.get(str(path[-1])) if path[0] == "designs" else None
    return Bounds(row.minimum or 0.0, row.maximum or 0.0, "") if row else Bounds(0.0, math.inf, "", whole=True)


def _value(where: str, path: KeyPath, word: str) -> Any:
    if path[0] == "world" and path[1] in FILE_KEYS and word:
        return _absolute(where, word)
    low, colon, high = word.partition(":")
    try:
        if path[0] == "parameters" and colon:
            return {"low": plain_scalar(low), "high": plain_scalar(high)}
        return plain_scalar(word)
    except ValueError as error:
        raise InputError(where, str(error), "allowed: numbers") from None


def _put(values: Any, path: KeyPath, value: Any) -> None:
    for key in path[:-1]:  # the positions of phases among them
        values = values.setdefault(key, {}) if isinstance(values, dict) else values[key]
    values[path[-1]] = value


def _options(options: RunOptions) -> Layer:
    given: Mapping[str, Any] = {**options}
    values: dict[str, Any] = {}
    places: dict[KeyPath, str] = {}
    for path in (*((key,) for key in (*NUMBERS, "keep_inputs")), *(("world", key) for key in (*FILE_KEYS, "encoding"))):
        value = given.get(path[-1])
        if value is not None:
            places[path] = typed(f"--{path[-1]}", str(value))
            _put(values, path, _absolute(places[path], str(value)) if path[-1] in FILE_KEYS else value)
    for name, header in own_headers(_texts(options.get("columns") or ())).items():
        places["world", "columns", name] = typed("--columns", f"{name}={header}")
        _put(values, ("world", "columns", name), header)
    return Layer(values, places)


def own_headers(columns: Iterable[str]) -> dict[str, str]:
    """Return the user's headers by our names of columns, of texts such as ``school_id=URN,teachers=Staff``. Raises InputError."""
    found = {}
    for pair in (pair for text in columns for pair in re.split(r",(?=[^,=]+=)", text)):
        name, equals, header = (part.strip() for part in pair.partition("="))
        if not (name and equals and header):
            raise InputError(typed("--columns", pair), "tells no column", "allowed: NAME=HEADER, for example school_id=URN,teachers=Staff")
        found[name] = header
    return found


def _absolute(where: str, path: str) -> str:
    if "\0" in path:
        raise InputError(where, f"{shown(path)} is not a file name")
    return str(Path(path).absolute())


def _checked(layer: Layer, source: str, *, files: bool = True) -> Scenario:
    try:
        scenario = Scenario.model_validate(layer.values, context=None if files else WITHOUT_FILES)
    except ValidationError as error:
        raise input_error(error, layer.places, source) from None
    if not files:
        return scenario
    own = {("world", "schools"): scenario.world.schools, ("world", "ties"): scenario.world.ties, ("posterior",): scenario.posterior}
    for at, file in own.items():
        if file is not None and not _is_file(file):
            place = layer.places.get(at, source)
            where = place if place.startswith("--") else f"{place}, {'.'.join(at)}"
            raise InputError(where, f"no such file: {shown(file, LONGEST_PATH)}")
    if scenario.posterior is not None:
        fitted = set(fitted_draws(scenario))
        for position, one in enumerate(scenario.correlations):
            if both := fitted & set(one.between):
                where = f"{layer.places.get(('correlations',), source)}, correlations[{position}]"
                problem = f"{min(both)} varies as the posterior draws have it, which hold its correlations"
                raise InputError(where, problem, "allowed: parameters that are not in the draws")
    return scenario


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def _slug(stem: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60]
    return slug if re.match(NAME_PATTERN, slug) else "scenario"
