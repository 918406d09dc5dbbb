"""A user's own ties: ``ties.csv``, a GraphML file, or a graph of networkx; every one that is read joins two schools of the table."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from school_mentoring.model.errors import InputError, nearest
from school_mentoring.model.state import MENTEE, MENTOR

from .arrays import Counts, Flags, Floats, Ints
from .csv_file import CsvTable, Dialect
from .encoding import tidy
from .numbers import Bounds, read_option
from .schools import Schools

if TYPE_CHECKING:
    import networkx as nx


WEIGHT = Bounds(0.0, 1e9, "a number above 0", above=True)
COLUMNS = {"source": None, "target": None, "weight": WEIGHT, "kind": None, "type": None, "id": None, "label": None, "timeset": None}
"""The columns of ``ties.csv``, with those that Gephi writes beside them, of which only ``type`` says something of a tie."""

KINDS = ("peer", "mentoring")
IS_GRAPH = ".graphml"
NAMES = ("school_id", "label", "name")
"""Attributes of nodes that may hold the school_id where the ids of nodes are numbers of the program that wrote them."""

WIDE, NEAR_ONE = 1000.0, (0.02, 50.0)
PEERS_ONLY = "a graph holds ties between peers; those of the kind mentoring stand in ties.csv"


class Ties(NamedTuple):
    """A user's ties: peer ties once each, mentoring ties; ``notices``: what of the file is probably not meant.

    ``one_way``: of which peer ties the source alone looks at the target, and not the other way round too.
    """

    source: Ints
    target: Ints
    weight: NDArray[np.float64]
    mentor: Ints
    mentee: Ints
    one_way: Flags
    notices: tuple[str, ...] = ()


def read_ties(
    path: str | Path, schools: Schools, dialect: Dialect = Dialect(), *, directed: bool = False  # noqa: B008 - a constant
) -> Ties:  # fmt: skip
    """Return the ties of a user's file: source, target, and weight (1 where blank), kind (peer where blank); or those of a GraphML file.

    Of a peer tie each school looks at the other. Where ties are ``directed``, or a column ``type`` or the graph says so, the source looks
    at the target alone: who names whom. A tie that stands in both directions and has none counts once, by the mean of its weights.
    A mentoring tie runs from mentor to mentee. Raises InputError for an unknown school, a tie of a school with itself, a weight that is
    not above 0, a tie given twice, a mentee with two mentors, a school that would be mentor and mentee, and a role that contradicts the
    school table.
    """
    if Path(path).suffix.lower() == IS_GRAPH:
        return _read_graphml(Path(path), schools)
    table = CsvTable(path, COLUMNS, ["source", "target"], dialect, schools.country_codes)
    number = {label: at for at, label in enumerate(schools.school_id.tolist())}
    ends = [np.array([number.get(cell, -1) for cell in table.columns[name]], dtype=np.int32) for name in ("source", "target")]
    for name, end in zip(("source", "target"), ends, strict=True):
        for at in np.flatnonzero(end < 0).tolist():
            table.complain(at, name, _nearest_school(table.columns[name][at], number), f"no school is named {table.columns[name][at]!r}")
    source, target = ends
    for at in np.flatnonzero((source == target) & (source >= 0)).tolist():
        table.complain(at, "target", "a tie joins two schools", f"{table.columns['target'][at]!r} is tied to itself")
    weight = _weights(table)
    kind = np.zeros(len(source), np.int64)
    if "kind" in table:
        words = table.words_of("kind", {word: code for code, word in enumerate(KINDS)})
        kind = np.maximum(words.values, 0.0).astype(np.int64)
    one_way = np.full(len(source), directed)
    if "type" in table:
        said = table.words_of("type", {"undirected": 0, "directed": 1})
        one_way = np.where(said.present, said.values > 0, one_way)
    _check_repeats(table, source, target, kind, one_way)
    _check_mentoring(table, source, target, kind, schools)
    table.settle()
    first, weight = _merged(source, target, weight, one_way, kind == 0)
    if twice := int((kind == 0).sum()) - len(first):
        what = "ties stand in both directions and count once each" if twice > 1 else "tie stands in both directions and counts once"
        table.notices.append(f"{table.name}: {twice:,} {what}; world.directed=true tells who looks at whom")
    mentoring = kind == 1
    return Ties(source[first], target[first], weight, source[mentoring], target[mentoring], one_way[first], tuple(table.notices))


def _merged(source: Ints, target: Ints, weight: Floats, one_way: Flags, peer: Flags) -> tuple[Counts, Floats]:
    """Return the rows of peer ties, of those without direction that stand both ways the first, and what each weighs, the mean of both."""
    back = (source > target) & ~one_way
    low, high = np.where(back, target, source).astype(np.int64), np.where(back, source, target).astype(np.int64)
    rows = np.flatnonzero(peer)
    keys = (low << 32 | high) * 2 + one_way
    _, first, pair = np.unique(keys[rows], return_index=True, return_inverse=True)
    mean = np.bincount(pair, weights=weight[rows], minlength=len(first)) / np.bincount(pair, minlength=len(first))
    order = np.argsort(first)
    return rows[first[order]], mean[order]


def _weights(table: CsvTable) -> NDArray[np.float64]:
    """Return the weight of each tie; those of another order of magnitude are remarked on."""
    weight = np.ones(len(table.numbers))
    if "weight" in table:
        given = table.numbers_of("weight")
        weight[given.present] = given.values[given.present]
        heavy = np.flatnonzero(weight > WIDE * weight.min()).tolist()
        table.remark(heavy, "weight", f"more than {WIDE:g} times the lightest tie", "expected weights in one unit")
        if given.present.any() and not NEAR_ONE[0] < np.median(given.values[given.present]) < NEAR_ONE[1]:
            table.remark(np.flatnonzero(~given.present).tolist(), "weight", "blank counts as 1", "expected weights near 1 beside it")
    return weight


def _nearest_school(label: str, known: Collection[str]) -> str:
    """Return a hint for an unknown school; a national table is too long to compare with."""
    return nearest(label, known) if len(known) <= 5000 else "give a school_id of the school table"


def _check_repeats(table: CsvTable, source: Ints, target: Ints, kind: NDArray[np.int64], one_way: Flags) -> None:
    """Complain of a tie that stands twice from the same school to the same one, or with a direction and without."""
    keys = np.where((source < 0) | (target < 0), -1 - np.arange(len(source)), (source.astype(np.int64) << 32 | target) * 2 + kind)
    back = (target.astype(np.int64) << 32 | source) * 2 + kind
    loose = np.flatnonzero((kind == 0) & ~one_way & (keys >= 0))
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for at in np.flatnonzero(first[inverse] != np.arange(len(keys))).tolist():
        _complain_of_pair(table, at, int(first[inverse[at]]))
    mixed = dict(zip(back[loose].tolist(), loose.tolist(), strict=True))
    for at in np.flatnonzero(one_way & (kind == 0)).tolist():
        if int(keys[at]) in mixed:
            _complain_of_pair(table, at, mixed[int(keys[at])])


def _complain_of_pair(table: CsvTable, at: int, before: int) -> None:
    ends = f"{table.columns['source'][at]!r} and {table.columns['target'][at]!r}"
    table.complain(at, "target", "give each tie once", f"{ends} are already tied in row {table.numbers[before]}")


def _check_mentoring(table: CsvTable, source: Ints, target: Ints, kind: NDArray[np.int64], schools: Schools) -> None:
    """Complain of mentoring ties that contradict each other or the roles of the school table."""
    mentors, mentees = dict[int, int](), dict[int, int]()
    for at in np.flatnonzero((kind == 1) & (source >= 0) & (target >= 0)).tolist():
        mentor, mentee = int(source[at]), int(target[at])
        mentors.setdefault(mentor, at)
        named = int(schools.named_mentor[mentee])
        if mentee in mentees and source[mentees[mentee]] != mentor:
            row = table.numbers[mentees[mentee]]
            table.complain(at, "target", "a mentee has one mentor", f"{schools.school_id[mentee]!s} already has a mentor in row {row}")
        elif named not in {-1, mentor}:
            problem = f"{schools.school_id[mentee]!s} already has the mentor {schools.school_id[named]!s} in the school table"
            table.complain(at, "target", "a mentee has one mentor", problem)
        mentees.setdefault(mentee, at)
    for school, at in mentors.items():
        if school in mentees or schools.named_role[school] == MENTEE:
            table.complain(at, "source", "a school has one role", f"{schools.school_id[school]!s} is a mentor here and a mentee elsewhere")
    for school, at in mentees.items():
        if schools.named_role[school] == MENTOR:
            problem = f"{schools.school_id[school]!s} is a mentee here, a mentor in the school table"
            table.complain(at, "target", "a school has one role", problem)


def name_mentors(schools: Schools, ties: Ties) -> Schools:
    """Return the schools with the roles and mentors that the mentoring ties name added to those of the table, and their notices."""
    role, mentor = schools.named_role.copy(), schools.named_mentor.copy()
    role[ties.mentor], role[ties.mentee] = MENTOR, MENTEE
    mentor[ties.mentee] = ties.mentor
    return replace(schools, named_role=role, named_mentor=mentor, notices=(*schools.notices, *ties.notices))


# ------------------------------------------------------------------------------------------------------------- graphs


def _read_graphml(path: Path, schools: Schools) -> Ties:
    """Return the peer ties of a GraphML file whose nodes are schools, all of its edges or none. Raises InputError."""
    import warnings
    from xml.etree.ElementTree import ParseError, iterparse

    import networkx as nx

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of types it guesses, and of the ports of nodes, which ties do not have
            graph = nx.read_graphml(str(path))
        tags = Counter(element.tag.rpartition("}")[2] for _, element in iterparse(path))
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror})", "give the path of a GraphML file") from None
    except (ParseError, nx.NetworkXError, KeyError, ValueError) as error:
        raise InputError(path.name, f"is not a GraphML graph ({error})") from None
    if tags["graph"] > 1:
        raise InputError(path.name, f"holds {tags['graph']} graphs, beside or within each other", "save one graph in a file")
    if not tags["edge"]:
        raise InputError(path.name, "holds no edges", "give at least one tie")
    if tags["edge"] != graph.number_of_edges():
        problem = f"{tags['edge']} edges stand in it, of which {graph.number_of_edges()} can be told apart"
        raise InputError(path.name, problem, "give each edge an id of its own, or none")
    return graph_ties(graph, schools, where=path.name)


def graph_ties(graph: "nx.Graph", schools: Schools, where: str = "graph") -> Ties:
    """Return the edges of a networkx graph as peer ties, parallel ones summed, ``weight`` 1 where nothing says another.

    Of a directed graph the source of an edge looks at its target alone. Raises InputError, which names the graph by ``where``, for a node
    that is no school_id (nor has one as its ``school_id``, ``label`` or ``name``), an edge from a school to itself, and a weight that is
    not above 0.
    """
    number = _numbers(graph, schools, where)
    usual = graph.graph.get("edge_default", {})
    ties: dict[tuple[int, int], float] = {}
    for one, other, data in graph.edges(data=True):
        at = f"{where}, edge {one} - {other}"
        if one == other:
            raise InputError(at, "a school is tied to itself", "a tie joins two schools")
        said = {name: value for name, value in {**usual, **data}.items() if name.casefold() in ("weight", "kind")}
        if len({name.casefold() for name in said}) < len(said):
            raise InputError(at, f"has the attributes {', '.join(said)}", "give one of them")
        if any(name.casefold() == "kind" and value != KINDS[0] for name, value in said.items()):
            raise InputError(at, "is no tie between peers", PEERS_ONLY)
        weight = next((value for name, value in said.items() if name.casefold() == "weight"), 1.0)
        ends = number[one], number[other]
        key = ends if graph.is_directed() else (min(ends), max(ends))
        ties[key] = ties.get(key, 0.0) + _weight(at, weight)
    pairs = np.array(list(ties), dtype=np.int32).reshape(len(ties), 2)
    none = np.empty(0, np.int32)
    one_way = np.full(len(ties), graph.is_directed())
    return Ties(pairs[:, 0].copy(), pairs[:, 1].copy(), np.array(list(ties.values()), dtype=np.float64), none, none, one_way)


def _weight(where: str, given: Any) -> float:
    """Return the weight of an edge, which may be declared as text. Raises InputError."""
    weight = read_option(f"{where}, weight", given, WEIGHT) if isinstance(given, str) else given
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not WEIGHT.hold(np.array(float(weight))):
        raise InputError(where, f"found weight {given!r}", f"give {WEIGHT.what}")
    return float(weight)


def _numbers(graph: "nx.Graph", schools: Schools, where: str) -> dict[Any, int]:
    """Return the school of each node. Raises InputError."""
    number = {label: i for i, label in enumerate(schools.school_id.tolist())}
    for name in (None, *NAMES):
        labels = {node: tidy(str(node if name is None else data.get(name, ""))).strip() for node, data in graph.nodes(data=True)}
        if all(label in number for label in labels.values()) and len(set(labels.values())) == len(labels):
            return {node: number[label] for node, label in labels.items()}
    unknown = next(str(node) for node in graph.nodes if tidy(str(node)).strip() not in number)
    raise InputError(f"{where}, node {unknown}", "no school has this school_id", _nearest_school(unknown, number))
