"""Harmonised sites through the scripts: what tables say, and the other way in the multiverse."""

import json

import numpy as np
import pandas as pd
import pytest

import draw_harmonisation
import measure_deviations
import test_groups as group_tests_script
import vary_choices
from qsmiron.statistics.combat import combat
from qsmiron.tables import read_table, write_table

CONTRASTS = {"progression": {"column": "progression", "levels": ["fast", "slow"]}}


@pytest.fixture
def study(tmp_path, make_regions, make_clinical):
    regions = make_regions(n=24, n_regions=6)
    clinical = make_clinical(n=24)
    clinical["site"] = np.where(np.arange(24) % 3 == 0, "b", "a")
    clinical["role"] = np.where(np.arange(24) < 14, "patient", "control")
    at_b = regions["participant_id"].map(clinical["site"]) == "b"
    shift = np.where(regions["metric"] == "iron_line", 3 / 0.89e-3, 3.0)  # a line of chi_mean
    regions.loc[at_b, "value"] = 2 * regions.loc[at_b, "value"] + shift[at_b]
    write_table(regions, tmp_path / "regions.tsv", "regions")
    clinical.to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")

    def run(script, output, how, *more, **blocks):
        statistics = {"permutations": 49, "bootstrap": 0, "harmonisation": how}
        config = {"contrasts": CONTRASTS, "scores": [], "statistics": statistics, **blocks}
        (tmp_path / "config.json").write_text(json.dumps(config))
        script.main(
            ["--regions", str(tmp_path / "regions.tsv"), "--config", str(tmp_path / "config.json"),
             "--participants", str(tmp_path / "clinical.tsv"), *map(str, more),
             *(["--output", str(tmp_path / output)] if output else [])]
        )  # fmt: skip
        return tmp_path / (output or "")

    run.regions, run.clinical, run.folder = regions, clinical, tmp_path
    return run


def values_of(study, metric="chi_sd"):
    rows = study.regions[study.regions["metric"] == metric]
    return rows.pivot(index="participant_id", columns="index", values="value")


def test_every_test_is_of_harmonised_values_and_says_so(study):
    table = read_table(study(group_tests_script, "g.tsv", "combat"), "group_tests")
    assert set(table["covariates"]) == {"combat(site)", "age,sex,combat(site)"}
    values, people = values_of(study), study.clinical.sort_index()
    protected = np.column_stack([people["age"], people["sex"] == "M"]).astype(float)
    sites = (people["site"] == "b").to_numpy(int)
    expected = pd.DataFrame(combat(values.to_numpy(), sites, protected), values.index)
    fast = (people["progression"] == "fast").to_numpy()
    here = table[(table["metric"] == "chi_sd") & (table["arm"] == "replication")]
    np.testing.assert_allclose(here["median_1"], expected[fast].median(), rtol=1e-6)
    plain = read_table(study(group_tests_script, "p.tsv", "none"), "group_tests")
    assert plain["covariates"].dropna().unique().tolist() == ["age,sex"]
    # a copy stays one
    copies = table[table["metric"] == "iron_line"]["reason"]
    assert copies.notna().all()


def test_deviations_say_so_too(study):
    roles = {"roles": {"column": "role"}}
    table = read_table(study(measure_deviations, "d.tsv", "combat", **roles), "deviations")
    assert set(table["covariates"]) == {"age,sex,combat(site)"}


@pytest.mark.parametrize(("own", "other"), [("none", "combat"), ("combat", "none")])
def test_the_multiverse_tries_the_other_way(study, own, other):
    tests = study(group_tests_script, "g.tsv", own)
    rows, curves = study.folder / "rows.tsv", study.folder / "curves.tsv"
    analysis = json.dumps({"covariates": [["age"]], "harmonisation": [other]})
    study(vary_choices, None, own, "--tests", tests, "--contrast", "progression",
          "--analysis", analysis, "--multiverse", rows, "--curves", curves)  # fmt: skip
    table = read_table(rows, "multiverse")
    found = table["covariates"].str.contains("combat")
    assert found.sum() == (~found).sum() > 0
    main = table[table["main"] == "yes"]
    assert (main["covariates"].str.contains("combat") == (own == "combat")).all()
    # without the design's harmonisation a specification does not count
    counted = table[table["counted"] == "yes"]["covariates"]
    whole = {"age,sex", "age,sex,combat(site)"} if own == "none" else {"age,sex,combat(site)"}
    assert set(counted) == whole


def test_a_picture_of_the_sites(study):
    path = study(draw_harmonisation, "h.png", "combat")
    assert path.stat().st_size > 5000
    assert path.with_suffix(".svg").exists()
