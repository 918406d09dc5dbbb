"""The ridge regression of the value of information gives what scikit-learn's RidgeCV gives, in a fraction of its time."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from school_mentoring.analysis.economics.value_of_information import PENALTIES, _ridge


@pytest.mark.parametrize(("rows", "columns", "outputs"), [(200, 30, 3), (500, 5, 1), (60, 80, 2)])
def test_ridge_regression_is_that_of_scikit_learn(rows, columns, outputs):
    draws = np.random.default_rng(rows)
    features = draws.normal(size=(rows, columns))
    known = features[:, :4] @ draws.normal(size=(4, outputs)) * 100 + 1e4
    targets = known + draws.normal(size=(rows, outputs)) * 50
    peer = RidgeCV(PENALTIES, alpha_per_target=True).fit(features, targets).predict(features).reshape(targets.shape)
    np.testing.assert_allclose(_ridge(features, targets), peer, rtol=1e-10)
