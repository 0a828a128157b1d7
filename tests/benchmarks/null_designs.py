"""Cohorts without any effect for the tests of further designs, and how often these find one.

Sixty people: 38 patients, 16 of them fast, and 22 controls; three stages that mean nothing; every
outcome follows age (r about .5). The second of two sites has three times the noise, another mean,
and relatively more of the controls, where the name says *two sites*.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from qsmiron.statistics.cell_tests import cell_test_table
from qsmiron.statistics.cells import Cells
from qsmiron.statistics.deviations import deviation_table
from qsmiron.statistics.inputs import Inputs
from qsmiron.statistics.model_tests import model_test_table
from qsmiron.statistics.people import belong
from qsmiron.statistics.regressors import contrast_regressors
from qsmiron.statistics.scan_covariates import read_scan_tables
from qsmiron.statistics.settings import Statistics, StudyDesign

ALPHA = 0.05
PATIENTS, FAST, CONTROLS = 38, 16, 22
PATIENTS_AT_B, CONTROLS_AT_B = 8, 12
COMMON = 0.3
"""Correlation of two regions; of the two sides of one it is twice that."""
DESIGN = {
    "contrasts": {
        "progression": {"column": "progression", "levels": ["fast", "slow"]},
        "role": {"column": "role", "levels": ["patient", "control"]},
    },
    "models": {
        "stage": {"column": "stage", "levels": ["1", "2", "3"], "ordered": True},
        "interaction": {"contrast": "progression", "by": "age"},
    },
    "roles": {"column": "role"},
    "scores": [],
}


def people(rng: np.random.Generator) -> pd.DataFrame:
    """The clinical table, by participant_id."""
    n = PATIENTS + CONTROLS
    patient = np.arange(n) < PATIENTS
    at_b = np.arange(n) >= n - CONTROLS_AT_B
    at_b[:PATIENTS] = np.arange(PATIENTS) >= PATIENTS - PATIENTS_AT_B
    speed = np.where(rng.permutation(PATIENTS) < FAST, "fast", "slow").astype(object)
    return pd.DataFrame(
        {
            "age": rng.normal(size=n),
            "sex": np.where(rng.random(n) < 0.6, "M", "F"),
            "stage": rng.permutation(np.repeat(["1", "2", "3"], n // 3)),
            "role": np.where(patient, "patient", "control"),
            "progression": [*speed, *[None] * CONTROLS],
            "site": np.where(at_b, "b", "a"),
        },
        index=pd.Index([f"sub-{i:02d}" for i in range(n)], name="participant_id"),
    )


def outcomes(rng: np.random.Generator, clinical: pd.DataFrame, regions: int) -> np.ndarray:
    """Left, then right regions (people × 2 regions), without an effect of anything but age."""
    n = len(clinical)
    everywhere, both = rng.normal(size=(n, 1)), rng.normal(size=(n, regions))
    own = rng.normal(size=(n, 2 * regions))
    noise = np.sqrt(COMMON) * (everywhere + np.tile(both, 2)) + np.sqrt(1 - 2 * COMMON) * own
    return noise + 0.6 * clinical["age"].to_numpy()[:, None]


def cells_of(values: np.ndarray, clinical: pd.DataFrame, metric: str, family: str) -> Cells:
    """Outcomes as the cells of one metric."""
    n = values.shape[1]
    index = pd.DataFrame(
        {
            "region": [f"r{i}" for i in range(n)],
            "hemisphere": "R",
            "index": range(n),
            "metric": metric,
            "family": family,
        }
    )
    return Cells("main", "made_up", clinical.index, index, values)


def inputs(clinical: pd.DataFrame, cells: Cells, settings: Statistics, **design: object) -> Inputs:
    """What the tests of a design take."""
    study = StudyDesign.model_validate({**DESIGN, "statistics": settings.model_dump(), **design})
    data = Inputs(
        study, clinical, [cells], "config", "people", [], read_scan_tables(None, None, None)
    )
    return Inputs(**{**vars(data), "cells": [data.harmonised(cells)]})


def design_rates(
    rng: np.random.Generator, regions: int, settings: Statistics
) -> Iterator[tuple[str, float]]:
    """Of one cohort, per test: the share found, or 0/1 whether any."""
    settings = settings.model_copy(update={"bootstrap": 0})
    clinical = people(rng)
    values = outcomes(rng, clinical, regions)
    cells = cells_of(values, clinical, "chi_mean", "susceptibility")
    data = inputs(clinical, cells, settings)
    for name in data.design.models:
        table = model_test_table(data, name, cells)
        table["term"] = table["term"].where(~table["term"].str.contains(" − "), "pairs")
        for term, part in table.groupby("term", sort=False):
            if " in " not in str(term):  # of age, which outcomes follow
                yield from _rates(str(term).replace("progression × age", "interaction"), part)
    yield from _contrast("patients − controls", data, "role")
    patients, controls = (
        belong(clinical, data.design.roles, of, "").to_numpy() for of in ("patients", "controls")
    )
    found = deviation_table(cells, patients, controls, data.covariates(cells))
    yield "deviations p", float((found["p"] <= ALPHA).mean())

    sides = values[:, regions:] - values[:, :regions]
    data = inputs(clinical, cells_of(sides, clinical, "chi_right_left", "asymmetry"), settings)
    yield from _contrast("right − left", data, "role")

    at_b = (clinical["site"] == "b").to_numpy()
    noisy = np.where(at_b[:, None], 3.0, 1.0) * values + 2.0 * at_b[:, None]
    cells = cells_of(noisy, clinical, "chi_mean", "susceptibility")
    adjusted = {"covariates": ["age", "sex", "site"]}
    own = {"exchangeability_blocks": "site", "variance_groups": "site"}
    combat = {"harmonisation": "combat"}
    for name, change, design in (
        ("two sites, site as covariate", {}, adjusted),
        ("two sites, blocks and variance groups", own, adjusted),
        ("two sites, ComBat", combat, {}),
        ("two sites, ComBat and site as covariate", combat, adjusted),
    ):
        data = inputs(clinical, cells, settings.model_copy(update=change), **design)
        yield from _contrast(name, data, "role")


def _contrast(name: str, data: Inputs, contrast: str) -> Iterator[tuple[str, float]]:
    (regressor,) = contrast_regressors(data, contrast)
    (cells,) = data.cells
    table = cell_test_table(cells, regressor, data.covariates(cells), data.design.statistics)
    yield from _rates(name, table[table["arm"] == "rigorous"])


def _rates(name: str, part: pd.DataFrame) -> Iterator[tuple[str, float]]:
    if part["p"].isna().any():
        raise ValueError(f"{name}: a cell without a test: {part['reason'].dropna().unique()}")
    yield f"{name} p", float((part["p"] <= ALPHA).mean())
    yield f"{name} p_perm", float((part["p_perm"] <= ALPHA).mean())
    yield f"{name} family-wise", float((part["p_maxt"] <= ALPHA).any())
