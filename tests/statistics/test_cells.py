import numpy as np
import pandas as pd
import pytest

from qsmiron.errors import InputError
from qsmiron.statistics.cells import cell_matrices, match_participants, missingness_patterns
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.linear import nuisance_space, vanishes


def test_every_value_lands_in_its_cell(make_regions):
    regions = make_regions(n=6, n_regions=3)
    regions.loc[7, "value"] = np.nan
    shuffled = regions.sample(frac=1, random_state=0)
    (cells,) = cell_matrices(shuffled)
    assert cells.values.shape == (6, 27)
    found = {
        (who, cell["index"], cell["metric"]): cells.values[row, column]
        for row, who in enumerate(cells.participants)
        for column, cell in enumerate(cells.index.to_dict("records"))
    }
    for row in regions.to_dict("records"):
        value = found[row["participant_id"], row["index"], row["metric"]]
        np.testing.assert_equal(value, row["value"])


def test_participants_are_sorted_whatever_the_order_of_the_rows(make_regions):
    regions = make_regions(n=12, n_regions=2)
    (cells,) = cell_matrices(regions)
    (shuffled,) = cell_matrices(regions.sample(frac=1, random_state=0))
    assert list(shuffled.participants) == list(cells.participants) == sorted(cells.participants)
    ours, theirs = (
        list(zip(each.index["index"], each.index["metric"], strict=True))
        for each in (shuffled, cells)
    )
    assert sorted(ours) == sorted(theirs)
    np.testing.assert_array_equal(
        shuffled.values[:, [ours.index(cell) for cell in theirs]], cells.values
    )


@pytest.mark.parametrize(
    ("metric", "margin", "is_it"),
    [("chi_mean", 4e-4, True), ("chi_mean", 6e-4, False), ("chi_median", 4e-4, False)],
)
def test_what_chi_is_relative_to_is_known_by_its_mean(make_regions, metric, margin, is_it):
    regions = make_regions(n=12, n_regions=2)
    here = (regions["index"] == 2) & (regions["metric"] == metric)
    regions.loc[here, "value"] = np.linspace(-margin, margin, 12)
    (cells,) = cell_matrices(regions)
    # iron by the global line is mean χ in other units
    alike = cells.index["metric"].isin([metric, "iron_line"])
    expected = ((cells.index["index"] == 2) & alike).to_numpy() & is_it
    np.testing.assert_array_equal(cells.is_reference, expected)
    # a missing value says nothing, and only missing ones are not zero
    regions.loc[here & (regions["participant_id"] == "sub-03"), "value"] = np.nan
    np.testing.assert_array_equal(cell_matrices(regions)[0].is_reference, expected)
    regions.loc[here, "value"] = np.nan
    assert not cell_matrices(regions)[0].is_reference.any()


def test_variants_are_kept_apart(make_regions):
    table = pd.concat([make_regions(n=4), make_regions(n=5, desc="csf", seed=3)])
    main, csf = cell_matrices(table)
    assert (main.desc, csf.desc) == ("main", "csf")
    assert (len(main.participants), len(csf.participants)) == (4, 5)


def test_absent_rows_are_missing_values(make_regions):
    regions = make_regions(n=4, n_regions=2).drop(index=[0, 5])
    (cells,) = cell_matrices(regions)
    assert np.isnan(cells.values).sum() == 2


def test_a_value_given_twice_is_refused(make_regions):
    regions = make_regions(n=3, n_regions=1)
    with pytest.raises(InputError, match="twice for sub-01"):
        cell_matrices(pd.concat([regions, regions.iloc[:1]]))


def test_the_first_session_counts_unless_one_is_named(make_regions):
    regions = pd.concat(
        [make_regions(n=3).assign(session="02"), make_regions(n=3, seed=2).assign(session="010")]
    )
    (first,) = cell_matrices(regions)
    (alone,) = cell_matrices(make_regions(n=3))
    np.testing.assert_array_equal(first.values, alone.values)
    (mixed,) = cell_matrices(regions, {"sub-01": "010", "sub-02": "02", "sub-03": "02"})
    (second,) = cell_matrices(regions, session="010")
    np.testing.assert_array_equal(mixed.values, np.vstack([second.values[:1], alone.values[1:]]))
    (cells,) = cell_matrices(regions, session="ses-010")
    expected = make_regions(n=3, seed=2)["value"].to_numpy()
    np.testing.assert_array_equal(np.sort(cells.values.ravel()), np.sort(expected))
    with pytest.raises(InputError, match="no row of session 03"):
        cell_matrices(regions, session="03")


def test_an_empty_table_is_refused(make_regions):
    with pytest.raises(InputError, match="no rows"):
        cell_matrices(make_regions(n=2).iloc[:0])


def test_patterns_partition_the_cells():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(19, 40))
    values[rng.random(values.shape) < 0.03] = np.nan
    values[:, 7] = np.nan
    usable = rng.random(19) < 0.8
    seen = []
    for pattern in missingness_patterns(values, usable):
        for column in pattern.columns:
            expected = np.flatnonzero(usable & np.isfinite(values[:, column]))
            np.testing.assert_array_equal(pattern.rows, expected)
        seen += list(pattern.columns)
    assert sorted(seen) == list(range(40))


def test_unknown_participants_are_named(make_regions, make_clinical):
    cells = cell_matrices(make_regions(n=6))
    with pytest.raises(InputError, match="no row for sub-05, sub-06"):
        match_participants(cells, make_clinical(n=4), "p.tsv")
    match_participants(cells, make_clinical(n=9), "p.tsv")


def test_covariates_numbers_and_indicators(make_clinical):
    clinical = make_clinical(n=12)
    clinical["site"] = [*"abcabcabcab", None]
    covariates = covariate_matrix(clinical, ("age", "site"), clinical.index[::-1], "p")
    assert covariates.columns == ("age", "site[b]", "site[c]")
    np.testing.assert_array_equal(covariates.values[:, 0], clinical["age"][::-1])
    assert list(covariates.complete) == [False] + [True] * 11
    assert covariates.values[-1, 1:].tolist() == [0, 0]
    assert covariate_matrix(clinical, (), clinical.index, "p").complete.all()


def test_collinear_covariates_are_the_configs_mistake(make_clinical):
    clinical = make_clinical()
    clinical["months"] = clinical["age"] * 12 + 3
    with pytest.raises(InputError, match=r"covariate months.*combination of age") as error:
        covariate_matrix(clinical, ("age", "sex", "months"), clinical.index, "p.tsv")
    assert "Take months out" in str(error.value)
    with pytest.raises(InputError, match="no column height"):
        covariate_matrix(clinical, ("height",), clinical.index, "p.tsv")


def test_constant_covariates_are_not_an_error_but_not_of_full_rank(make_clinical):
    clinical = make_clinical().assign(sex="M", scanner=3.0)
    for name in ("sex", "scanner"):
        covariates = covariate_matrix(clinical, ("age", name), clinical.index, "p.tsv")
        assert not nuisance_space(covariates.values).full_rank


def test_nuisance_residuals_and_what_vanishes():
    rng = np.random.default_rng(0)
    covariates = np.column_stack([rng.normal(60, 9, 30), 1e6 + rng.normal(size=30)])
    nuisance = nuisance_space(covariates)
    y = rng.normal(size=(30, 4))
    design = np.column_stack([np.ones(30), covariates - covariates.mean(axis=0)])
    expected = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    np.testing.assert_allclose(nuisance.residuals(y), expected, atol=1e-9)
    line = 3 * covariates[:, :1] - 7
    assert vanishes(nuisance.residuals(line), line).all()
    assert not vanishes(nuisance.residuals(y), y).any()
