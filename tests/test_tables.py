"""Result tables: declared columns, n/a for missing, a description beside each."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from qsmiron.errors import InputError
from qsmiron.tables import TABLES, read_table, write_table


def regions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "participant_id": ["sub-01", "sub-02"],
            "session": [None, "01"],
            "desc": "main",
            "atlas": "DK",
            "index": [1, 2],
            "region": "thalamus",
            "hemisphere": ["L", "B"],
            "metric": "chi_mean",
            "family": "susceptibility",
            "value": [np.nan, 0.0123456789],
            "unit": "ppm",
            "n_voxels": [0, 120],
            "coverage": [0.0, 1.0],
        }
    )


def test_round_trip_with_missing_values(tmp_path):
    path = tmp_path / "group" / "regions.tsv"
    write_table(regions(), path, "regions")
    lines = path.read_text().splitlines()
    assert lines[0].split("\t") == list(TABLES["regions"])
    assert lines[1].split("\t")[:2] == ["sub-01", "n/a"]
    back = read_table(path, "regions")
    assert back["session"].isna().tolist() == [True, False]
    assert back["session"][1] == "01", "a label of digits stays text"
    assert np.isnan(back["value"][0])
    assert back["value"][1] == pytest.approx(0.0123456789, rel=1e-7)
    assert back["labels_source"].isna().all(), "what is not filled is n/a"
    write_table(back, tmp_path / "again.tsv", "regions")
    assert (tmp_path / "again.tsv").read_bytes() == path.read_bytes()


def test_every_column_is_described(tmp_path):
    write_table(regions(), tmp_path / "r.tsv", "regions")
    described = json.loads((tmp_path / "r.json").read_text())
    assert list(described) == list(TABLES["regions"])
    assert all(entry["Description"] for entry in described.values())


def test_undeclared_columns_are_a_mistake_of_ours(tmp_path):
    with pytest.raises(KeyError, match="surprise"):
        write_table(regions().assign(surprise=1), tmp_path / "r.tsv", "regions")
    assert list(tmp_path.iterdir()) == []


def test_broken_tables_are_refused(tmp_path):
    path = tmp_path / "r.tsv"
    with pytest.raises(InputError, match="no such file"):
        read_table(path)
    for content in (b"", b"a\tb\n1\t2\t3\n1\n4\t5\t6\t7\n", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"r\.tsv"):
            read_table(path)
    path.write_text("participant_id\tvalue\nsub-01\t1\n")
    with pytest.raises(InputError, match="no column session"):
        read_table(path, "regions")


def test_words_that_pandas_takes_for_missing_stay_words(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text("participant_id\tregion\nsub-01\tNA\nsub-02\tn/a\n")
    table = read_table(path)
    assert table["region"][0] == "NA"
    assert table["region"].isna().tolist() == [False, True]
    assert table["participant_id"][0] == "sub-01"


def test_the_contract_columns_are_declared_in_order():
    contract = (
        "participant_id session desc atlas labels_source index region hemisphere metric family "
        "value unit n_voxels coverage"
    )
    assert list(TABLES["regions"]) == contract.split()
    tests = (
        "arm desc atlas contrast level_1 level_2 region hemisphere index metric family test "
        "covariates n_1 n_2 median_1 median_2 statistic df p p_perm p_maxt q effect effect_name "
        "ci_low ci_high hedges_g reason"
    )
    assert list(TABLES["group_tests"]) == tests.split()
    correlations = (
        "arm desc atlas score region hemisphere index metric family method covariates n df rho "
        "ci_low ci_high p p_perm p_maxt q reason"
    )
    assert list(TABLES["correlations"]) == correlations.split()


def test_labels_of_digits_keep_their_zeros_among_categories(tmp_path):
    path = tmp_path / "regions.tsv"
    table = regions().assign(session=["01", "02"], region=["001", "1"], atlas="007")
    write_table(table, path, "regions")
    read = read_table(path, "regions", ["participant_id", "session", "region", "atlas", "value"])
    assert list(read["session"]) == ["01", "02"]
    assert list(read["region"]) == ["001", "1"]
    assert list(read["atlas"]) == ["007", "007"]
    write_table(regions().assign(session=[None, "01"]), path, "regions")
    read = read_table(path, "regions", ["session", "region"])
    assert read["session"].isna().tolist() == [True, False]
    assert read["session"][1] == "01"
    assert isinstance(read["session"].dtype, pd.CategoricalDtype)
