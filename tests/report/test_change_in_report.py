"""The report's tables of change over time, and its paragraph of methods."""

import pandas as pd
import pytest
import yaml

from qsmiron.config import load_config
from qsmiron.config_files import read_settings
from qsmiron.report.change_table import HEADER, REPEAT_HEADER, change_table, repeatability_rows
from qsmiron.report.methods_text import methods_text

WHERE = {"desc": "main", "atlas": "DK", "metric": "chi_mean", "hemisphere": "L"}


def rows(**more):
    found = [
        {**WHERE, "region": f"r{i}", "model": "progression", "test": test, "term": term, "n": 24,
         "n_scans": 61 - i, "p": 0.01 * (i + 1), "q": 0.03 * (i + 1), "p_maxt": p_maxt,
         "effect": 0.0042, "ci_low": -0.001, "ci_high": 0.0094, "unit": unit, **more}
        for test, term, p_maxt, unit in (
            ("mixed_model", "time × (fast − slow)", None, "ppm/year"),
            ("rank_t", "rate: fast − slow", 0.04, None),
        )
        for i in range(5)
    ]  # fmt: skip
    return pd.DataFrame(found)


def test_a_row_per_question_with_the_strongest_region_in_ppb():
    header, first, second = change_table(pd.concat([rows(), rows(atlas="other", p=0.9)]))
    assert header == HEADER
    assert first == [
        "progression", "time × (fast − slow)", "mixed model", "Mean χ", "24 (61)", "5", "4", "1",
        "–", "L r0: p = .010, 4.2 [−1, 9.4] ppb/year",
    ]  # fmt: skip
    assert second[2] == "ranks" and second[8] == "5"
    assert second[9].endswith("effect .00")
    assert change_table(rows(p=float("nan"))) == []


def test_repeatability_is_the_median_over_the_regions():
    names = {"within_subject_sd": 0.002, "icc": 0.9, "smallest_detectable_change": 0.0055}
    table = pd.DataFrame(
        [
            {**WHERE, "region": f"r{i}", "test": "repeatability", "term": term, "n": 10,
             "n_scans": 20, "effect": value * (1 + 0.1 * i)}
            for term, value in names.items()
            for i in (-1, 0, 1)
        ]
    )  # fmt: skip
    header, row = repeatability_rows(table)
    assert header == REPEAT_HEADER
    assert row == ["Mean χ", "10 (20)", "3", "2 ppb", ".90", "5.5 ppb"]


@pytest.mark.parametrize("repeats", [None, {"within_months": 1}])
def test_the_methods_say_how_change_was_tested(repeats):
    values = read_settings("config/config.yaml") | {"analysis_only": True}
    values |= {"change": {"likelihood": "ml", "repeats": repeats}}
    config = load_config(values)
    assert yaml.safe_load(config.change.model_dump_json())["likelihood"] == "ml"
    text = methods_text(config, None, change=True)
    assert "Change over time." in text and "by maximum likelihood (Bates" in text
    assert "Kuznetsova" in text
    assert ("Shrout" in text) == bool(repeats)
    assert "Change over time." not in methods_text(config, None)


@pytest.mark.parametrize("how", ["none", "combat"])
def test_the_methods_say_that_change_is_not_harmonised(how):
    values = read_settings("config/config.yaml") | {"analysis_only": True}
    values["statistics"] = {**values.get("statistics", {}), "harmonisation": how}
    text = methods_text(load_config(values), None, change=True)
    assert ("without ComBat" in text) == (how == "combat")
    assert "without ComBat" not in methods_text(load_config(values), None)
