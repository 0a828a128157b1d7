"""Tables of tests from a column of groups or scores, for the tests of the group statistics."""

from qsmiron.statistics import cell_tests, distribution_tests, null_rates
from qsmiron.statistics.regressors import ContrastRegressor, ScoreRegressor


def contrast_of(name, levels, group):
    """The contrast of two levels of a column."""
    numbers = group.map({levels[0]: 1.0, levels[1]: 0.0}).astype(float)
    return ContrastRegressor(name, numbers, levels=levels)


def group_test_table(cells, contrast, levels, group, covariates, settings):
    """A contrast in every cell, in both arms."""
    regressor = contrast_of(contrast, levels, group)
    return cell_tests.cell_test_table(cells, regressor, covariates, settings)


def correlation_table(cells, score, values, covariates, settings):
    """A score in every cell, in both arms."""
    return cell_tests.cell_test_table(cells, ScoreRegressor(score, values), covariates, settings)


def distribution_test_table(functions, contrast, levels, group, covariates, settings):
    """A contrast on quantile functions, in both arms."""
    regressor = contrast_of(contrast, levels, group)
    return distribution_tests.distribution_test_table(functions, regressor, covariates, settings)


def null_rate_table(cells, contrast, levels, group, covariates, settings):
    """False-positive rates of a contrast."""
    regressor = contrast_of(contrast, levels, group)
    return null_rates.null_rate_table(cells, regressor, covariates, settings)
