import numpy as np
import pytest

from school_mentoring.analysis.report.sentences import in_words, percent, sentences, with_error

from .tables import table_of_runs

NOISE = np.tile([-1.0, 1.0], 50)


def study(values, sets=1):
    """Return runs from ``{design: (costs, effects)}``."""
    return table_of_runs({d: {"cost_society": c, "cost_programme": c, "effect_adopter_years": e} for d, (c, e) in values.items()}, sets)


def base(**effects):
    return study({"none": (np.zeros(100), 100 + NOISE), **{d: (np.full(100, 1000.0), np.asarray(e)) for d, e in effects.items()}})


def test_the_design_that_adds_most_is_named_with_its_error() -> None:
    said = sentences(base(virtual=150 + 2 * NOISE, hybrid=120 + NOISE), worlds=100)
    # virtual - none = 50 +- 1 in turn: sd 1.005, se 0.1005, two of them 0.20.
    assert said[0] == "At the base parameters virtual adds most: 50.00 ± 0.20 adopter-years over no programme (100 runs)."


def test_designs_within_two_standard_errors_are_not_told_apart() -> None:
    said = sentences(base(virtual=150 + NOISE, hybrid=150.01 - NOISE), worlds=100)
    assert said[0].startswith("At the base parameters hybrid and virtual add most, about 50")
    assert said[0].endswith("100 runs do not tell them apart.")


def test_designs_that_agree_in_every_run_are_tied() -> None:
    said = sentences(base(virtual=150 + NOISE, hybrid=150 + NOISE), worlds=100)
    assert said[0].endswith("they are tied.")


def test_no_effect_is_claimed_where_it_cannot_be_told_from_nothing() -> None:
    said = sentences(base(virtual=100.1 - NOISE), worlds=100)
    assert said[0] == "No design adds adopter-years to no programme that 100 runs at the base parameters can tell from 0."
    assert said[1] == "No design adds enough to state what an added adopter-year costs."


def test_a_single_run_is_called_one() -> None:
    said = sentences(study({"none": ([0.0], [100.0]), "virtual": ([10.0], [150.0])}), worlds=10)
    assert said[0].startswith("In a single run at the base parameters virtual adds most")


def test_a_design_alone_is_compared_with_nothing() -> None:
    assert sentences(base(), worlds=10) == ["There is no design to compare with no programme."]


@pytest.mark.parametrize(
    ("wins", "words"),
    [
        (100, "virtual has the most adopter-years in all of them"),
        (80, "virtual has the most adopter-years in 80 % (90 % interval 73 to 86 %)"),
        (55, "no design is clearly ahead: virtual has the most adopter-years in 55 %"),
        (50, "no design is clearly ahead: virtual and hybrid are tied, each has the most adopter-years in 50 %"),
        (40, "designs, hybrid has the most adopter-years in 60 % (90 % interval 52 to 68 %)"),
    ],
)
def test_words_follow_from_the_probability_and_its_interval(wins, words) -> None:
    virtual = np.where(np.arange(100) < wins, 2.0, 0.0)
    uncertain = study(
        {"none": (np.zeros(100), np.zeros(100)), "virtual": (np.ones(100), virtual), "hybrid": (np.ones(100), np.ones(100))}, 100
    )
    said = sentences(base(virtual=150 + NOISE, hybrid=120 + NOISE), uncertain, worlds=100)[-1]
    assert said.startswith("Over 100 drawn parameter sets, given this model and these designs, ")
    assert words in said


def test_net_benefit_is_ranked_at_the_worth_asked_for() -> None:
    zeros, ones = np.zeros(20), np.ones(20)
    uncertain = study({"none": (zeros, zeros), "virtual": (1500 * ones, ones)}, 20)
    said = sentences(base(virtual=150 + NOISE), uncertain, worlds=100, willingness_to_pay=1000)[-1]
    assert "no programme has the highest net benefit at 1,000 EUR per adopter-year in all of them" in said


def test_shares_say_none_or_all_only_where_it_is_so() -> None:
    assert [percent(x) for x in (0.0, 0.001, 0.5, 0.999, 1.0)] == ["0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]


def test_values_are_rounded_to_what_their_error_leaves() -> None:
    assert with_error(7620.4, 138.9) == "7,620 ± 280"
    assert with_error(0.12345, 0.0021) == "0.1235 ± 0.0042"
    assert with_error(1234.5, float("nan")) == "1,234"


def test_lists_in_words() -> None:
    assert [in_words(list(names)) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
