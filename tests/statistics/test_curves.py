"""What a specification curve counts."""

from dataclasses import replace

import numpy as np

from qsmiron.statistics.multiverse import Specification, curve
from qsmiron.statistics.permutation import Permutations
from qsmiron.statistics.rank_ancova import PartialTest


def made_up(effect, p):
    test = PartialTest(np.full(1, effect), np.zeros(1), 20, np.full(1, p), *np.zeros((2, 1)))
    return Specification("d", "m", None, 22, None, effect, test)


def test_the_curve_counts():
    found = [
        made_up(-0.4, 0.01), made_up(-0.2, 0.20), Specification("d", "m", None, 0, "not measured"),
        made_up(-0.3, 0.049), made_up(0.5, 0.001), made_up(-0.1, 0.05),
    ]  # fmt: skip
    summary = curve(found, Permutations(1, 0, 22), 0.05)
    assert (summary.n_specifications, summary.n_tested) == (6, 5)
    assert (summary.n_same_sign, summary.n_significant) == (4, 2)
    assert (summary.effect_main, summary.p_main) == (-0.4, 0.01)
    assert (summary.effect_low, summary.effect_median, summary.effect_high) == (-0.4, -0.2, 0.5)
    assert np.isnan(summary.p_median)
    assert np.isnan(summary.p_share)


def test_a_specification_without_a_covariate_of_the_design_does_not_count():
    own = replace(made_up(-0.4, 0.01), covariates="age,sex")
    others = [
        replace(made_up(effect, 0.001), covariates=covariates)
        for effect, covariates in (
            (0.9, None),
            (0.8, "age"),
            (-0.2, "sex,age"),
            (-0.3, "age,sex,x"),
        )
    ]
    assert [one.holds(own) for one in others] == [False, False, True, True]
    summary = curve([own, *others], Permutations(1, 0, 22), 0.05)
    assert (summary.n_specifications, summary.n_tested, summary.n_same_sign) == (5, 3, 3)
    assert (summary.effect_low, summary.effect_median, summary.effect_high) == (-0.4, -0.3, -0.2)
    # in a design without covariates everything counts
    assert all(one.holds(others[0]) for one in others)


def test_a_curve_without_any_test_is_missing():
    summary = curve([Specification("d", "m", None, 0, "x")], Permutations(1, 99, 22), 0.05)
    assert (summary.n_specifications, summary.n_tested, summary.n_same_sign) == (1, 0, 0)
    numbers = (summary.effect_main, summary.p_main, summary.effect_median, summary.p_median)
    assert np.isnan(numbers).all()
