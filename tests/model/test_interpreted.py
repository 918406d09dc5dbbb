"""The compiled engine does what its source says: run as plain Python, that source gives the same bits."""

import pickle
import sys

import numpy as np
import pytest

from school_mentoring.model.engine import Results
from tests.commands.program import ROOT, begin, finish

from .interpreted import CASES, courses, likelihoods, networks, own_ties, results
from .test_engines_equal import bits


@pytest.fixture(scope="module")
def interpreted(tmp_path_factory):
    """Return what the source gives where nothing is compiled."""
    file = tmp_path_factory.mktemp("interpreted") / "found"
    call = [sys.executable, "-m", "tests.model.interpreted", str(file)]
    assert finish(begin(call, cwd=ROOT, environment={"NUMBA_DISABLE_JIT": "1"}), 300).code == 0
    return pickle.loads(file.read_bytes())


@pytest.mark.parametrize("number", range(len(CASES)))
def test_compiled_runs_are_those_of_the_source_to_the_last_bit(interpreted, number):
    for name, ours, theirs in zip(Results._fields, results(CASES[number]), interpreted[0][number], strict=True):
        np.testing.assert_array_equal(bits(ours), bits(theirs), err_msg=name)


def test_compiled_networks_are_those_of_the_source_to_the_last_bit(interpreted):
    for ours, theirs in zip(networks(), interpreted[1], strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(bits(one), bits(other))


def test_compiled_likelihoods_are_those_of_the_source(interpreted):
    for ours, theirs in zip(likelihoods(), interpreted[2], strict=True):
        # Sums and gamma functions of the compiler's library and of Python's: some units in the last place, magnified by logarithms.
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_compiled_courses_of_adoption_are_those_of_the_source(interpreted):
    for ours, theirs in zip(courses(), interpreted[3], strict=True):
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_the_rows_of_own_ties_are_those_of_the_source_to_the_last_bit(interpreted):
    for ours, theirs in zip(own_ties(), interpreted[4], strict=True):
        np.testing.assert_array_equal(bits(ours), bits(theirs))
