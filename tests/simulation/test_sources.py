"""Iron and myelin of a simulated patient: what they add up to, and what was planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qsmiron.simulation.atlas_regions import label
from qsmiron.simulation.sources import SourceParameters, simulate_sources
from qsmiron.simulation.subject import read_plan, simulate_subject
from qsmiron.simulation.susceptibility import FLUID_CHI_PPM

PLAN = Path(__file__).parents[2] / "config" / "demo" / "plan.tsv"
VOXEL = 3.0
PLANTED = ("chi_para_mean", "chi_dia_mean")


@pytest.fixture(scope="module")
def row():
    return read_plan(PLAN)["sub-03"]


@pytest.fixture(scope="module")
def patient(row):
    return simulate_subject(row, VOXEL)


def test_both_have_their_sign_and_add_up_to_net_chi(patient):
    parts, brain = patient.sources, patient.brain
    assert parts.paramagnetic.min() >= 0
    assert parts.diamagnetic.max() <= 0
    total = FLUID_CHI_PPM + parts.paramagnetic + parts.diamagnetic
    np.testing.assert_allclose(total[brain], patient.chi[brain], atol=1e-6)
    assert not parts.paramagnetic[~brain].any()


def test_r2star_is_the_sum_of_its_parts(patient):
    parts, brain = patient.sources, patient.brain
    np.testing.assert_allclose(patient.r2star[brain], (parts.r2 + parts.r2prime)[brain], rtol=1e-6)
    expected = 125 * parts.paramagnetic - 45 * parts.diamagnetic
    np.testing.assert_allclose(parts.r2prime, expected, atol=1e-4)


def test_planted_sources_are_met(patient, row):
    for (region, side, metric), value in row.planted.items():
        if metric in PLANTED:
            part = {"chi_para_mean": "paramagnetic", "chi_dia_mean": "diamagnetic"}[metric]
            inside = patient.labels == label(region, side)
            # the region is cut at the image's edge
            whole = inside.sum() * VOXEL**3
            assert whole > 0
            found = getattr(patient.sources, part)[inside].mean(dtype=float)
            assert found == pytest.approx(value, abs=1e-4 if region != "brainstem" else 3e-3)


def test_where_no_source_is_planted_net_chi_is_as_ever(row):
    without = {cell: value for cell, value in row.planted.items() if cell[2] not in PLANTED}
    plain = simulate_subject(replace(row, planted=without), VOXEL)
    planted = simulate_subject(row, VOXEL)
    regions = {cell[:2] for cell in row.planted if cell[2] in PLANTED}
    touched = np.isin(plain.labels, [label(*region) for region in regions])
    np.testing.assert_array_equal(plain.chi[~touched], planted.chi[~touched])
    assert (plain.chi[touched] != planted.chi[touched]).any()


def test_a_cancelling_pair_leaves_net_chi_alone():
    """Iron and myelin that rise together: seen by both, and by net χ not at all."""
    means = []
    for who in ("sub-01", "sub-02", "sub-05"):
        row = read_plan(PLAN)[who]
        patient = simulate_subject(row, VOXEL)
        inside = patient.labels == label("paracentral", "R")
        means.append(
            [
                patient.chi[inside].mean(dtype=float),
                patient.sources.paramagnetic[inside].mean(dtype=float),
            ]
        )
    net, iron = np.array(means).T
    assert np.ptp(net) < 1e-5
    assert np.ptp(iron) > 3e-3


def test_iron_alone_moves_net_chi_and_not_myelin(patient, row):
    tissues, cell = patient.tissues, ("precentral", "R", "chi_para_mean")
    parts = []
    for shift in (0.0, 0.02):
        rng = np.random.default_rng(0)
        parts.append(simulate_sources(patient.chi, tissues, {cell: row.planted[cell] + shift}, rng))
    (first, chi), (second, raised) = parts
    inside = tissues.labels == label("precentral", "R")
    np.testing.assert_array_equal(first.diamagnetic, second.diamagnetic)
    assert (raised - chi)[inside].mean(dtype=float) == pytest.approx(0.02, abs=1e-5)
    np.testing.assert_array_equal(raised[~inside], chi[~inside])


def test_fibres_across_b0_relax_faster(patient):
    rng = np.random.default_rng(0), np.random.default_rng(0)
    plain, _ = simulate_sources(patient.chi, patient.tissues, {}, rng[0])
    turned, _ = simulate_sources(
        patient.chi, patient.tissues, {}, rng[1], SourceParameters(fibre_effect=0.2)
    )
    white = (patient.tissues.white > 0.99) & (patient.labels == 0)
    more = turned.r2prime - plain.r2prime
    share = more[white] / (45 * -plain.diamagnetic[white])
    assert 0 <= share.min() < 0.02
    assert 0.18 < share.max() <= 0.2 + 1e-5
    assert (more[~(patient.tissues.white > 0)] == 0).all()
