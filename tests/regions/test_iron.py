import math

import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.parameters import parse_parameters
from qsmiron.regions.deposits import IronParameters
from qsmiron.regions.iron import (
    LineParameters,
    calibrate,
    expected_iron,
    iron_by_line,
    nucleus_of,
    parse_age,
)
from qsmiron.regions.label_table import Label, hemisphere_of

BOTH = [
    Label(i, name, side)
    for i, (name, side) in enumerate(
        [(n, s) for s in "LR" for n in ("caudate", "putamen", "pallidum", "thalamus")], start=1
    )
]


def test_line_by_hand():
    # 0.0445 ppm = 44.5 ppb; 44.5 / 0.89 = 50 mg/kg.
    assert iron_by_line(0.0445, LineParameters()) == pytest.approx(50, rel=1e-12)
    assert iron_by_line(-0.0089, LineParameters()) == pytest.approx(-10, rel=1e-12)
    # (100 ppb − 20 ppb) / 0.5 = 160 mg/kg.
    other = LineParameters(line_slope=0.5, line_intercept=20)
    assert iron_by_line(0.1, other) == pytest.approx(160, rel=1e-12)


def test_expected_iron_by_hand():
    # 1 − e^(−.09·60) = .99548342; 21.41 · .99548342 + .37 = 21.6833 mg/100 g.
    assert expected_iron("pallidum", 60) == pytest.approx(216.833, abs=1e-3)
    # 1 − e^−3 = .95021293; 9.66 · .95021293 + .33 = 9.509057 mg/100 g.
    assert expected_iron("caudate", 60) == pytest.approx(95.09057, abs=1e-4)
    # 1 − e^−2.4 = .90928205; 14.62 · .90928205 + .46 = 13.753704 mg/100 g.
    assert expected_iron("putamen", 60) == pytest.approx(137.53704, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "nucleus"),
    [
        ("caudate", "caudate"),
        ("Left-Caudate", "caudate"),
        ("Right-Putamen", "putamen"),
        ("Pallidum_L", "pallidum"),
        ("Left Globus Pallidus", "pallidum"),
        ("R_Caudate nucleus", "caudate"),
        ("caudalanteriorcingulate", None),
        ("caudalmiddlefrontal", None),
        ("Left-Thalamus", None),
    ],
)
def test_nuclei_by_name(name, nucleus):
    assert nucleus_of(Label(1, name, hemisphere_of(name))) == nucleus


def chi_of(labels, age, slope, intercept):
    return np.array(
        [
            slope * expected_iron(nucleus, age) + intercept
            if (nucleus := nucleus_of(label))
            else 0.01
            for label in labels
        ]
    )


def test_line_is_recovered():
    fit = calibrate(BOTH, chi_of(BOTH, 47.5, 0.0011, -0.03), 47.5)
    assert fit.reason == ""
    assert fit.slope == pytest.approx(0.0011, rel=1e-9)
    assert fit.intercept == pytest.approx(-0.03, rel=1e-9)
    assert fit.r_squared == pytest.approx(1, rel=1e-9)
    assert fit.nuclei == (0, 1, 2, 4, 5, 6)
    assert fit.iron(np.array([0.08]))[0] == pytest.approx(100, rel=1e-9)


def test_noisy_line_against_polyfit():
    medians = chi_of(BOTH, 60, 0.0008, -0.01) + np.random.default_rng(1).normal(0, 0.01, 8)
    fit = calibrate(BOTH, medians, 60)
    x = [expected_iron(BOTH[i].name, 60) for i in fit.nuclei]
    y = medians[list(fit.nuclei)]
    slope, intercept = np.polyfit(x, y, 1)
    assert fit.slope == pytest.approx(slope, rel=1e-9)
    assert fit.intercept == pytest.approx(intercept, rel=1e-9)
    assert fit.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-9)


def test_one_side_suffices():
    medians = chi_of(BOTH, 60, 0.001, -0.03)
    medians[4:] = np.nan
    fit = calibrate(BOTH, medians, 60)
    assert fit.reason == ""
    assert len(fit.nuclei) == 3


@pytest.mark.parametrize("age", [None, 60.0])
def test_no_line(age):
    medians = chi_of(BOTH, 60, 0.001, -0.03)
    medians[[2, 6]] = np.nan
    fit = calibrate(BOTH, medians, age)
    assert fit.reason == ("no voxel of pallidum" if age else "the age is not known")
    assert len(fit.nuclei) == 4
    assert math.isnan(fit.slope)
    assert np.isnan(fit.iron(np.array([0.1, 0.2]))).all()


def test_atlas_without_nuclei():
    fit = calibrate([Label(1, "insula", "L")], np.array([0.01]), 60)
    assert fit.reason == "no voxel of caudate, putamen, pallidum"


@pytest.mark.parametrize(("slope", "r_squared"), [(-0.001, 1.0), (0.0, math.nan)])
def test_line_that_does_not_rise(slope, r_squared):
    fit = calibrate(BOTH, chi_of(BOTH, 60, slope, 0.25), 60)
    assert fit.slope == pytest.approx(slope, abs=1e-15)
    assert fit.r_squared == pytest.approx(r_squared, nan_ok=True)
    assert "does not rise" in fit.reason
    assert np.isnan(fit.iron(np.array([0.1]))).all()


def test_age_of_a_command_line():
    assert parse_age("58.5", "--age") == 58.5
    assert parse_age(None, "--age") is parse_age("n/a", "--age") is None
    for text in ("old", "0", "-3", "nan", "inf", "580"):
        with pytest.raises(InputError, match="--age"):
            parse_age(text, "--age")


def test_parameters_are_the_config_block():
    block = {
        "line_slope": 0.89,
        "line_intercept": 0.0,
        "tissue_density": 1.04,
        "deposit_percentile": 95,
        "deposit_threshold": None,
        "deposit_group": None,
    }
    assert parse_parameters(IronParameters, block, "iron") == IronParameters()
    assert IronParameters().model_dump() == block
    for key, value in (("line_slope", 0), ("deposit_percentile", 100), ("tissue_density", -1)):
        with pytest.raises(InputError, match=f"iron, {key}"):
            parse_parameters(IronParameters, {key: value}, "iron")
