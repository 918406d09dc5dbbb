"""Networks in GraphML, as other programs write them: every edge is a tie with its weight, or the file is refused."""

from pathlib import Path

import networkx as nx
import pytest

from school_mentoring.model.errors import InputError
from school_mentoring.model.world.own_ties import graph_ties, read_ties
from school_mentoring.model.world.schools import Schools
from tests.school_tables import read

CASES = Path(__file__).parent / "cases"
KEY = '<key id="w" for="edge" attr.name="weight" attr.type="double"/>'
CAPITAL = KEY.replace('"w"', '"v"').replace("weight", "Weight")
KIND = '<key id="k" for="edge" attr.name="kind" attr.type="string"/>'
NODES = "".join(f'<node id="s{k}"/>' for k in range(3))
EDGE = '<edge source="s0" target="s1"/>'


@pytest.fixture
def three(tmp_path: Path) -> Schools:
    return read(tmp_path, "school_id,country\ns0,IT\ns1,IT\ns2,IT\n")


def graph(content: str, keys: str = "", default: str = "undirected") -> str:
    head = '<?xml version="1.0" encoding="UTF-8"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    return f'{head}{keys}<graph edgedefault="{default}">{content}</graph></graphml>'


def ties(tmp_path: Path, text: str, schools: Schools) -> dict[tuple[int, int], float]:
    (tmp_path / "net.graphml").write_text(text, encoding="utf-8")
    found = read_ties(tmp_path / "net.graphml", schools)
    return dict(zip(zip(found.source.tolist(), found.target.tolist(), strict=True), found.weight.tolist(), strict=True))


@pytest.mark.parametrize(("name", "weights"), [("g_default.graphml", [5.0, 1.0]), ("g_capital.graphml", [7.0, 1.0])])
def test_weights_are_those_of_the_file(name, weights, three):
    assert read_ties(CASES / name, three).weight.tolist() == weights


def test_edges_without_weights_weigh_one_and_parallel_ones_are_summed(tmp_path, three):
    keyed = '<edge source="s1" target="s0"><data key="w">2.5</data></edge>'
    assert ties(tmp_path, graph(NODES + EDGE + keyed, KEY), three) == {(0, 1): 3.5}
    numbered = '<edge id="a" source="s0" target="s1"/><edge id="b" source="s0" target="s1"/>'
    assert ties(tmp_path, graph(NODES + numbered), three) == {(0, 1): 2.0}


def test_weights_declared_as_text_are_numbers(tmp_path, three):
    keyed = '<edge source="s0" target="s1"><data key="w">2.5</data></edge>'
    assert ties(tmp_path, graph(NODES + keyed, KEY.replace("double", "string")), three) == {(0, 1): 2.5}


def test_a_graph_without_edges_is_refused_as_a_table_without_rows_is(tmp_path, three):
    with pytest.raises(InputError, match=r"net\.graphml: holds no edges; give at least one tie"):
        ties(tmp_path, graph(NODES), three)


@pytest.mark.parametrize("attribute", ["label", "name", "school_id"])
def test_schools_are_known_by_an_attribute_where_ids_are_numbers_of_the_program(tmp_path, three, attribute):
    key = f'<key id="l" for="node" attr.name="{attribute}" attr.type="string"/>'
    nodes = "".join(f'<node id="n{9 - k}"><data key="l">s{k}</data></node>' for k in range(3))
    assert ties(tmp_path, graph(nodes + '<edge source="n9" target="n7"/>', key), three) == {(0, 2): 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            graph(NODES + EDGE + '<edge directed="true" source="s1" target="s2"/>'),
            "net.graphml: is not a GraphML graph (directed=true edge found in undirected graph.)",
        ),
        (
            graph(NODES + EDGE).replace("</graphml>", '<graph edgedefault="undirected"><node id="s0"/></graph></graphml>'),
            "net.graphml: holds 2 graphs, beside or within each other; save one graph in a file",
        ),
        (
            graph(f'{NODES}<node id="s9"><graph edgedefault="undirected">{EDGE}</graph></node>'),
            "net.graphml: holds 2 graphs, beside or within each other; save one graph in a file",
        ),
        (graph(NODES + '<hyperedge><endpoint node="s0"/></hyperedge>'), "net.graphml: is not a GraphML graph (GraphML"),
        (
            graph(NODES + EDGE.replace("<edge", '<edge id="a"') * 2),
            "net.graphml: 2 edges stand in it, of which 1 can be told apart; give each edge an id of its own, or none",
        ),
        (
            graph(NODES + '<edge source="s0" target="s1"><data key="k">mentoring</data></edge>', KIND),
            "net.graphml, edge s0 - s1: is no tie between peers; a graph holds ties between peers",
        ),
        (
            graph(NODES + '<edge source="s0" target="s1"><data key="w">1</data><data key="v">2</data></edge>', KEY + CAPITAL),
            "net.graphml, edge s0 - s1: has the attributes weight, Weight; give one of them",
        ),
        (graph(NODES + EDGE + '<edge source="s0" target="s9"/>'), "net.graphml, node s9: no school has this school_id; did you mean"),
    ],
)  # fmt: skip
def test_what_would_be_dropped_or_misread_is_refused(tmp_path, three, text, message):
    with pytest.raises(InputError) as caught:
        ties(tmp_path, text, three)
    assert str(caught.value).startswith(message)


def test_ports_leave_the_edges_of_their_nodes(tmp_path, three):
    nodes = NODES.replace('<node id="s0"/>', '<node id="s0"><port name="north"/></node>')
    assert ties(tmp_path, graph(nodes + EDGE.replace('target="s1"', 'target="s1" sourceport="north"')), three) == {(0, 1): 1.0}


def test_of_a_directed_graph_the_source_looks_at_the_target_and_parallel_edges_are_summed(tmp_path, three):
    found = graph_ties(nx.DiGraph([("s0", "s1"), ("s1", "s0"), ("s2", "s1")]), three)
    assert (found.source.tolist(), found.target.tolist(), found.one_way.tolist()) == ([0, 1, 2], [1, 0, 1], [True] * 3)
    numbered = '<edge id="a" source="s1" target="s0"/><edge id="b" source="s1" target="s0"/>'
    assert ties(tmp_path, graph(NODES + numbered, default="directed"), three) == {(1, 0): 2.0}
