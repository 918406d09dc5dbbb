"""A recommendation never says more than its numbers: ties, free designs, losses, single runs, doing nothing; its documents are whole."""

import math
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

from school_mentoring.analysis.describe import describe
from school_mentoring.analysis.economics.advice import about, euros, euros_with_error
from school_mentoring.analysis.report.chapters.facts import Evidence
from school_mentoring.analysis.report.document import Document, Section, Table, Text, unbroken
from school_mentoring.analysis.report.handover import as_html, as_pdf
from school_mentoring.analysis.report.recommendation import recommendation
from school_mentoring.model.designs import PRESETS
from school_mentoring.model.errors import InputError
from school_mentoring.model.observe import OUTCOMES

SETS = 40


def runs_of(designs, sets=SETS, replicates=1):
    """Return runs of designs given as functions of (set, replicate) to (effect, cost); 'none' has effect 1,000 and costs nothing."""
    rows = []
    for name, values in {"none": lambda s, r: (0.0, 0.0), **designs}.items():
        for s in range(sets):
            for r in range(replicates):
                effect, cost = values(s, r)
                row = dict.fromkeys(OUTCOMES, 0.0) | {"design": name, "parameter_set": s, "replicate": r}
                row |= {"effect_adopter_years": 1000.0 + effect, "cost_society": cost, "cost_programme": cost, "cost_schools": 0.0}
                rows.append(row)
    return pd.DataFrame(rows)


def advise(designs, sets=SETS, replicates=1, parameters=None, change=lambda runs: runs, **options):
    if parameters is None:
        parameters = pd.DataFrame({"parameter_set": range(sets), "beta": np.linspace(0.01, 0.16, sets)}) if sets > 1 else pd.DataFrame()
    evidence = Evidence(
        runs=change(runs_of(designs, sets, replicates)), parameters=parameters, designs={"a": PRESETS["regional_hub"]},
        title="a <test> & more", months=72, funding=(6, 34), schools="100 schools",
        countries={}, ranges={}, commands=["run.py recommend x"], source="Seed 1.",
    )  # fmt: skip
    return recommendation(evidence, **{"willingness_to_pay": 1000.0, **options})


def text_of(advice):
    html = as_html(advice.document).decode()
    return re.sub(r"<[^>]+>", " ", re.sub(r'src="data:[^"]*"', "", html)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_design_that_is_best_in_every_set_is_very_likely_the_best_and_leaves_nothing_to_know():
    advice = advise({"a": lambda s, r: (100.0 + s, 50_000.0), "b": lambda s, r: (20.0, 50_000.0)})
    assert "a has the highest expected net benefit, and very likely is the best choice: it is the best in 100 % of 40" in advice.answer[0]
    assert "A adds 120 adopter-years (90 % of parameter sets: 102 to 137) to no programme and costs EUR 50,000" in advice.answer[1]
    assert "nothing more needs to be known for this choice" in advice.answer[2]


def test_what_a_design_is_stands_in_the_report_with_what_was_varied_of_it():
    parameters = pd.DataFrame({"parameter_set": range(SETS), "beta": 0.1, "a.fte": np.linspace(0.5, 1.0, SETS)})
    said = text_of(advise({"a": lambda s, r: (100.0, 50_000.0)}, parameters=parameters))
    assert unescape(said).count(f"A: {describe(PRESETS['regional_hub'])}") == 1
    assert "told here as the scenario has it: coordinators per unit of the tier, with a (a.fte)." in said


def test_equal_designs_are_tied_and_never_ranked():
    same = lambda s, r: (100.0 + s, 50_000.0)  # noqa: E731
    advice = advise({"a": same, "b": same})
    assert "a and b are tied: they have the same net benefit in every run" in advice.answer[0]
    assert "(the best of all: a in 50 % and b in 50 % of 40 parameter sets)" in advice.answer[0]
    assert advice.json["beside"] == ["b"]


def test_designs_that_are_tied_in_the_one_run_made_have_no_chances():
    advice = advise({"a": lambda s, r: (100.0, 50_000.0), "b": lambda s, r: (100.0, 50_000.0)}, sets=1)
    assert advice.answer[0].endswith("a and b are tied: they have the same net benefit in every run.")


def test_designs_within_two_standard_errors_are_not_told_apart():
    advice = advise({"a": lambda s, r: (100.0 + 30 * (-1) ** s, 50_000.0), "b": lambda s, r: (99.0 - 30 * (-1) ** s, 50_000.0)})
    assert "are not told apart: their mean net benefits differ by less than two standard errors" in advice.answer[0]
    assert "highest" not in advice.answer[0]


def test_a_lead_in_the_mean_that_is_no_lead_in_most_sets_is_not_called_likely():
    """Design a wins by much in 40 % of the sets, b by little in the others."""
    advice = advise({"a": lambda s, r: (200.0 if s % 5 < 2 else 90.0, 50_000.0), "b": lambda s, r: (100.0, 50_000.0)})
    assert "a has the highest expected net benefit, but no design is clearly ahead: it is the best in 40 %" in advice.answer[0]
    assert "b is the best in 60 %" in advice.answer[0]
    assert "likely" not in advice.answer[0]


def test_where_nothing_is_worth_its_cost_the_advice_is_to_do_nothing():
    advice = advise({"a": lambda s, r: (10.0 + s / 10, 500_000.0), "b": lambda s, r: (-5.0, 100_000.0)})
    assert "no design is worth what it costs, and doing nothing has the highest expected net benefit, and very likely" in advice.answer[0]
    assert advice.answer[1].startswith("The next, b, would lose 5 adopter-years for EUR 100,000")
    assert advice.json["best"] == "none"


def test_a_free_design_costs_nothing_and_has_no_price():
    advice = advise({"free": lambda s, r: (50.0 + s, 0.0)})
    assert advice.answer[1] == "Free adds 69.5 adopter-years (90 % of parameter sets: 52.0 to 87.0) to no programme and costs nothing."
    assert "Whatever an adopter-year is worth, free has the highest mean net benefit" in advice.answer[2]


def test_a_design_that_does_harm_and_saves_money_is_said_to_lose_and_to_save():
    advice = advise({"less": lambda s, r: (-10.0 - s / 10, -500_000.0)})
    assert "Less loses 12 adopter-years" in advice.answer[1].replace("11.9", "12").replace("11.95", "12")
    assert "against no programme and saves EUR 500,000" in advice.answer[1]
    assert "per adopter-year" not in advice.answer[1]


def test_a_cost_of_open_sign_has_no_range_and_one_that_two_pay_is_told_apart():
    open_ = advise({"a": lambda s, r: (100.0, 50_000.0 if s % 2 else -10_000.0)})
    assert open_.answer[1].startswith(
        "A adds 100 adopter-years (90 % of parameter sets: 100 to 100) to no programme and costs EUR 20,000: "
    )

    def said_of(programme, schools):
        def shared(runs):
            return runs.assign(cost_programme=programme * runs["cost_society"], cost_schools=schools * runs["cost_society"])

        return advise({"a": lambda s, r: (100.0, 50_000.0)}, change=shared).answer[1].partition("(EUR 50,000 to EUR 50,000)")[2]

    assert said_of(0.75, 0.25) == ", of which EUR 37,500 by the programme and EUR 12,500 by the schools: EUR 500 per adopter-year."
    raising = "EUR 37,500 by the programme, EUR 5,000 by the schools and EUR 7,500 for raising the programme's money"
    assert said_of(0.75, 0.1) == f", of which {raising}: EUR 500 per adopter-year."
    received = "EUR 50,000 by the programme and EUR 10,000 for raising the programme's money, less EUR 10,000 that the schools receive"
    assert said_of(1.0, -0.2) == f", of which {received} beyond what they spend: EUR 500 per adopter-year."


def test_an_effect_of_open_sign_is_called_open():
    advice = advise({"a": lambda s, r: (40.0 * (1 if s % 3 else -1), 0.0)})
    assert advice.answer[1].startswith("Whether a adds adopter-years is open (more in 65 % of parameter sets")


def test_one_run_says_nothing_of_chance_and_one_set_nothing_of_assumptions():
    design = {"a": lambda s, r: (100.0 + r, 50_000.0)}
    one = advise(design, sets=1)
    assert one.answer[0].endswith("in the one run made; a single run does not tell how much of that is chance.")
    assert "90 %" not in " ".join(one.answer)
    several = advise(design, sets=1, replicates=5)
    assert several.answer[0].endswith("under the one parameter set looked at; nothing is known of other assumptions.")
    assert "cannot say on which of them this hangs" in several.answer[2]
    for advice in (one, several):
        assert "The study varies no assumption" in text_of(advice)


def test_few_sets_are_said_to_be_too_few_for_what_is_worth_knowing():
    advice = advise({"a": lambda s, r: (40.0 + 10 * s, 100_000.0)}, sets=8)
    assert "8 parameter sets are too few to say which assumption matters" in advice.answer[2]
    assert "With 8 parameter sets no probability is worth much" in text_of(advice)


def test_the_documents_hold_all_chapters_need_nothing_else_and_are_the_same_again():
    advice = advise({"a": lambda s, r: (60.0 + 3 * s, 100_000.0), "b": lambda s, r: (80.0, 90_000.0)})
    html = as_html(advice.document).decode()
    assert html == as_html(advice.document).decode()
    assert not re.search(r"(src|href)=\"(?!data:image/png|#)", html)  # nothing is fetched
    assert "<script" not in html
    assert "a &lt;test&gt; &amp; more" in html
    assert all(re.search(r'alt="[^"]{30,}"', image) for image in re.findall(r"<img[^>]*>", html))
    for chapter in (
        "The answer",
        "Who gains",
        "What it costs whom",
        "What it depends on",
        "worth knowing",
        "Assumptions",
        "Limits",
        "CHEERS",
    ):
        assert chapter in text_of(advice)
    pdf = as_pdf(advice.document)
    assert pdf.startswith(b"%PDF")
    assert pdf == as_pdf(advice.document)
    assert pdf.count(b"/Alt ") >= len(advice.document.pictures())


def test_the_answer_hangs_on_what_an_adopter_year_is_worth():
    designs = {"cheap": lambda s, r: (50.0 + s, 10_000.0), "dear": lambda s, r: (150.0 + s, 110_000.0)}
    assert advise(designs, willingness_to_pay=2000.0).json["best"] == "dear"
    assert advise(designs, willingness_to_pay=500.0).json["best"] == "cheap"
    assert advise(designs, willingness_to_pay=0.0).json["best"] == "none"
    assert "cheap from EUR 144 to EUR 1,000 and dear above EUR 1,000" in advise(designs).answer[2]


def test_of_many_ranges_those_around_the_worth_in_question_are_said():
    designs = {f"d{k}": (lambda s, r, k=k: (50.0 * k + s / 100, 10_000.0 * k**2)) for k in range(1, 7)}
    said = advise(designs, willingness_to_pay=1000.0).answer[2]
    assert (
        "d2 from EUR 600 to EUR 1,000, d3 from EUR 1,000 to EUR 1,400 and d4 from EUR 1,400 to EUR 1,800 (all 7 ranges stand below)" in said
    )


def test_a_design_that_changes_nothing_is_tied_with_no_programme():
    advice = advise({"idle": lambda s, r: (0.0, 0.0)})
    assert "no programme and idle are tied: they have the same net benefit in every run" in advice.answer[0]
    assert advice.answer[1] == "Idle adds nothing to no programme and costs nothing."
    assert "nothing more needs to be known" in advice.answer[2]


def test_one_replicate_of_each_set_says_nothing_of_luck():
    text = text_of(advise({"a": lambda s, r: (40.0 + 3 * s, 100_000.0)}))
    assert "one half of the runs chooses" not in text
    assert "Chance between runs" not in text


def test_where_luck_tells_designs_apart_that_is_said():
    """Between two designs of the same mean nothing but noise of replicates decides, set by set."""
    noise = np.random.default_rng(7).normal(0, 40, (2, SETS, 2))
    text = text_of(advise({d: (lambda s, r, k=k: (100.0 + noise[k, s, r], 1_000.0)) for k, d in enumerate("ab")}, replicates=2))
    assert "of it remain where one half of the runs chooses and the other half judges; the rest may be luck" in text
    share = re.search(r"Chance between runs makes (\d+) % of the variance of the difference to the best rival", text)
    assert share is not None and int(share[1]) > 50


def surveyed(runs):
    """Return runs with 1,000 teachers in one country, of whom more use the practice at the end of funding, the larger the effect."""
    users = np.clip(200.0 + (runs["effect_adopter_years"] - 1000.0), 0, 1000)
    return runs.assign(**{"teachers:country:HR": 1000.0}, adopters_end_of_funding=users, mentor_schools=24.0)


@pytest.mark.parametrize(("replicates", "pilots"), [(1, False), (2, True)])
def test_looking_is_priced_where_teachers_are_counted_and_a_pilot_where_luck_shows(replicates, pilots):
    noise = np.random.default_rng(8).normal(0, 5, (SETS, 2))
    advice = advise({"a": lambda s, r: (50.0 + 5 * s + noise[s, r], 100_000.0)}, replicates=replicates, change=surveyed)
    studies = advice.tables["worth_looking.csv"].set_index("study")["value"]
    assert any("survey" in name for name in studies.index)
    assert any("pilot" in name for name in studies.index) is pilots
    assert (studies >= 0.0).all() and (studies <= advice.json["evpi"] + 1e-6).all()


def test_a_design_field_that_was_varied_is_called_by_its_meaning():
    drawn = pd.DataFrame({"parameter_set": range(60), "a.fte": np.linspace(0, 2, 60), "odd": np.linspace(2, 1, 60) ** 2})
    advice = advise({"a": lambda s, r: (40.0 + 3 * s, 100_000.0)}, sets=60, parameters=drawn)
    assert re.search(r"[^ ]+ .*, with a \(a\.fte\)", text_of(advice))
    assert {row["name"] for row in advice.json["worth_knowing"]} == {"a.fte", "odd"}


def hanging_on(**parameters):
    """Return advice on a design whose effect hangs on parameters of 200 sets, by how much of each."""
    rng = np.random.default_rng(3)
    drawn = pd.DataFrame({name: rng.random(200) for name in parameters})
    effect = 100.0 + sum(weight * (drawn[name] - 0.5) for name, weight in parameters.items())
    return advise(
        {"a": lambda s, r: (float(effect[s]), 100_000.0)}, sets=200, parameters=drawn.assign(parameter_set=range(200))
    )  # fmt: skip


def test_the_most_worth_knowing_is_named_with_its_error():
    money = r"EUR [\d,]+ ± [\d,]+"
    said = hanging_on(beta=400.0, d=40.0).answer[2]
    assert re.search(rf"worth {money}, and most of all it would help to know: chance .* \(beta\), worth {money}\.$", said)


def test_of_assumptions_worth_the_same_none_is_called_the_most_worth_knowing():
    advice = hanging_on(beta=300.0, gamma=300.0)
    assert "most of all it would help to know either of: " in advice.answer[2]
    assert advice.answer[2].endswith("which are not told apart.")
    assert "Which is the highest is not settled: " in text_of(advice)


def test_assumptions_that_go_together_in_the_parameter_sets_are_named():
    rng = np.random.default_rng(5)
    beta = rng.random(60)
    drawn = pd.DataFrame({"parameter_set": range(60), "beta": beta, "rural": beta + rng.normal(0, 0.1, 60), "d": rng.random(60)})
    text = text_of(advise({"a": lambda s, r: (80.0 + 40 * float(beta[s]), 100_000.0)}, sets=60, parameters=drawn))
    assert re.search(r"In these parameter sets (beta and rural|rural and beta) \(0\.9\d\) go together", text)
    assert "go together" not in text_of(hanging_on(beta=400.0, d=40.0))


def test_amounts_have_the_digits_that_their_error_leaves():
    assert euros_with_error(263_812.0, 53_900.0) == "EUR 260,000 ± 110,000"
    assert euros_with_error(2_638_120.0, 53_900.0) == "EUR 2.64 ± 0.11 million"
    assert euros_with_error(263_812.0, math.nan) == "EUR 264,000"
    assert (about(math.inf), euros(math.nan)) == ("no number", "no amount")
    assert [about(value) for value in (63.98, 0.1, 5.0, 1234.5, 9.996, -63.98)] == [
        "64.0",
        "0.100",
        "5",
        "1,230",
        "10.0",
        "-64.0",
    ]


def test_no_line_of_a_document_ends_between_a_number_and_what_belongs_to_it():
    text = "56 % of 128 sets (90 % interval 49 to 63 %), EUR 3.31 million to EUR 7.01 million, EUR 260,000 ± 110,000"
    assert unbroken(text).split(" ") == [
        "56\xa0%", "of", "128", "sets", "(90\xa0%", "interval", "49\xa0to\xa063\xa0%),", "EUR\xa03.31\xa0million", "to",
        "EUR\xa07.01\xa0million,", "EUR\xa0260,000", "±\xa0110,000",
    ]  # fmt: skip


def pages_of(document):
    """Return how many pages a document takes as PDF."""
    return len(re.findall(rb"/Type /Page\b", as_pdf(document)))


def test_a_small_table_stays_on_one_page_and_an_answer_may_run_over_to_the_next():
    filling = Text("\n".join(["line"] * 38))  # all of the first page but a few lines
    table = Table("A small table", ["name", "value"], [[f"row {k}", f"{k}"] for k in range(8)])
    title = "A title of many more words than the foot of a page has room for, " * 3
    assert pages_of(Document(title, "about", [Section("a", "A", [filling])])) == 1
    assert pages_of(Document(title, "about", [Section("a", "A", [filling, table])])) == 2
    answer = Text("A long answer in many words. " * 30, strong=True)
    assert pages_of(Document(title, "about", [Section("a", "A", [filling, answer])])) == 2


def test_bad_questions_are_refused():
    with pytest.raises(InputError, match="no perspective named 'ministry'"):
        advise({"a": lambda s, r: (1.0, 1.0)}, perspective="ministry")
    with pytest.raises(InputError, match="--designs: there is no design to compare with none"):
        advise({})
    with pytest.raises(InputError, match="is not a finite number"):
        advise({"a": lambda s, r: (math.inf, 1.0)})
