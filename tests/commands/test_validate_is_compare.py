"""`validate` accepts a scenario exactly when `compare` does, with the same words when it does not: held on random faulty files.

The commands' own functions are called in this process, as a process each would take seconds; `test_bad_input.py` holds the same of the
program for chosen files.
"""

import random
from collections import Counter
from collections.abc import Callable

from school_mentoring.experiments.check import check_files
from school_mentoring.experiments.compare import compare
from school_mentoring.model.errors import InputError
from school_mentoring.scenarios import load_scenario

FAULTY = ("-1", "0", "0.5", "1e9", "many", ".nan", "true", "null", "[1]", "1201", "{a: 1}", "")
COLUMNS = {  # column: sound cells
    "teachers": ["1", "7", ""],
    "digital_capacity": ["0", "0.5", "1"],
    "country": ["IT", "CZ", "PT", ""],
    "region": ["north", ""],
    "level": ["primary", "secondary", ""],
    "rural": ["0", "yes", ""],
    "role": ["mentor", "mentee", "", "none"],
    "cluster": ["a", "b", ""],
    "x_km": ["1", "-3.5"],
    "y_km": ["0", ""],
    "latitude": ["50", ""],
    "longitude": ["14.4"],
    "adopters_at_start": ["0", "1", ""],
    "adopters_at_start_quizzes": ["0", ""],
}
CELLS = ("-3", "nan", "XX", "1001", "mentor", "1e400", '"', "ž", " 5 ")


class Writer:
    """Writes the files of a scenario: sound ones, but that each value is faulty with a chance of ``rate``."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.rate = self.random.choice([0.0, 0.0, 0.0, 0.01, 0.1])

    def maybe(self, sound: object, faulty: tuple[str, ...] = FAULTY) -> object:
        return self.random.choice(faulty) if self.random.random() < self.rate else sound

    def files(self) -> dict[str, str]:
        draw = self.random
        designs = draw.sample(["virtual", "regional_hub", "bottom_up", "top_down", "none", "outreach"], draw.randint(1, 2))
        own = f"  mine: {{preset: {self.maybe('virtual')}, places: {self.maybe(2)}, first_month: {self.maybe(draw.randint(0, 9))}}}\n"
        schools = draw.random() < 0.6
        ties = schools and draw.random() < 0.6
        text = [
            f"{self.maybe('months', ('moths',))}: {self.maybe(draw.randint(1, 12))}\n",
            f"replicates: {self.maybe(draw.randint(1, 2))}\ndraws: {self.maybe(draw.randint(0, 2), ('-1', 'x', '0.5', '99999999'))}\n",
            f"worlds: {self.maybe(draw.randint(1, 2))}\nseed: {self.maybe(draw.randint(0, 9), ('-1', 'x', str(2**64)))}\n",
            f"programme: {{first_month: {self.maybe(draw.randint(0, 4))}, last_month: {self.maybe(draw.randint(4, 9))}}}\n",
            f"uncertain: [{self.maybe(draw.choice(['behaviour', 'world', 'p, gamma', 'cost, network', '']), ('nobody', '1', '[]'))}]\n",
            f"parameters: {{{draw.choice(['p', 'peer_degree', 'region_km', 'advanced_fraction', 'cover_share'])}: {self.maybe(1)}}}\n",
            "practices: [{name: quizzes}"
            + draw.choice(["", ", {name: portfolios, weight: 2}", self.maybe("", (", {name: quizzes}",))])
            + "]\n",
            "designs:\n" + "".join(f"  {self.maybe(name, ('nonsense', 'virtuall'))}:\n" for name in designs) + draw.choice(["", own]),
            f"world:\n  countries: [{self.maybe('IT', ('XX', 'IT, IT', ''))}, CZ]\n  regions_per_country: {draw.randint(1, 2)}\n",
            f"  schools_per_region: {self.maybe(draw.randint(1, 4))}\n",
            f"  schools: {self.maybe('schools.csv', ('no.csv', '3', '.'))}\n" if schools else "",
            f"  ties: {self.maybe('ties.csv', ('schools.csv', 'no.csv'))}\n" if ties else "",
        ]
        return {"mine.yaml": "".join(text), "schools.csv": self.schools(), "ties.csv": self.ties()}

    def schools(self) -> str:
        draw = self.random
        columns = draw.sample(list(COLUMNS), draw.randint(0, 3))
        for one, other in (("x_km", "y_km"), ("latitude", "longitude"), ("cluster", "role")):
            if one in columns and other not in columns and draw.random() < 0.9:
                columns.append(other)
        rows = [["school_id", *(str(self.maybe(name, ("age", "teachers", ""))) for name in columns)]]
        rows += [
            [str(self.maybe(label, ("A", ""))), *(str(self.maybe(draw.choice(COLUMNS[name]), CELLS)) for name in columns)]
            for label in "ABCDE"[: draw.randint(3, 5)]
        ]
        return str(self.maybe("\n", ("", "\n\n"))).join(",".join(row) for row in rows) + "\n"

    def ties(self) -> str:
        pairs = self.random.sample(["A,B", "B,C", "A,C"], self.random.randint(0, 3))
        rows = [
            f"{self.maybe(pair, ('A,A', 'A,X', 'A', 'B,A'))},{self.maybe(self.random.choice(['', '1', '2.5']), CELLS)}" for pair in pairs
        ]
        return "\n".join(["source,target,weight", *rows, ""])


def verdict(run: Callable[[], object]) -> str:
    """Return what a command says of bad input, nothing where it accepts."""
    try:
        run()
    except InputError as error:
        return str(error)
    return ""


def test_validate_and_compare_say_the_same_of_any_scenario(tmp_path):
    shipped = load_scenario("mensi-pilot")
    said: Counter[str] = Counter()
    for seed in range(400):
        files = Writer(seed).files()
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        path = str(tmp_path / "mine.yaml")
        checked = verdict(lambda path=path: check_files([path], shipped))
        assert checked == verdict(lambda path=path: compare(load_scenario(path), threads=1)), files
        said[checked] += 1
    # So that the comparison is worth something: many of either kind, and of the faulty ones many kinds.
    assert 100 < said[""] < 300
    assert len(said) > 80
